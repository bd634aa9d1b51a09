import type { ProcessEntry } from "../../Domain/machine/ProcessEntry.ts"
import type { ProcReader } from "./ProcReader.ts"

interface Elder {
  readonly entry: ProcessEntry
  readonly ino: number
  readonly ctimeMs: number
}

/**
 * Reads a process as `reader.entry` does; one that began before the process `selfPid` only once, as it was then. The kernel
 * makes another directory for the next process with its pid, and to ask for that takes a fifth of the time. What such a process
 * is now does not matter to the trees of workers that `selfPid` has started.
 */
export const readingEldersOnce = (
  reader: Pick<ProcReader, "entry" | "folder">,
  selfPid: number
): ((pid: number) => ProcessEntry | undefined) => {
  const elders = new Map<number, Elder>()
  const ownStartTicks = reader.entry(selfPid)?.startTicks ?? 0
  return (pid) => {
    const known = elders.get(pid)
    if (known !== undefined) {
      const folder = reader.folder(pid)
      if (folder?.ino === known.ino && folder.ctimeMs === known.ctimeMs) return known.entry
      elders.delete(pid)
    }
    const folder = reader.folder(pid)
    const entry = reader.entry(pid)
    if (entry !== undefined && folder !== undefined && entry.startTicks < ownStartTicks)
      elders.set(pid, { entry, ino: folder.ino, ctimeMs: folder.ctimeMs })
    return entry
  }
}
