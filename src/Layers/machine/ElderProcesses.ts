import type { ProcessEntry } from "../../Domain/machine/ProcessEntry.ts"
import type { ProcReader } from "./ProcReader.ts"

interface Elder {
  readonly entry: ProcessEntry
  readonly ino: number
  readonly ctimeMs: number
  /** When it was last there, on the monotonic clock. */
  seenNanos: bigint
}

/** A pid is used again after all others. No kernel starts so many processes in a second. */
const startsPerSecond = 327_680n

/** The time in which no pid is used again: 0.1 s on a small machine, 12.8 s on most. */
export const pidsLastNanos = (pidMax: number): bigint => (BigInt(pidMax) * 1_000_000_000n) / startsPerSecond

/**
 * Reads a process as `reader.entry` does; one that began before the process `selfPid` only once, as it was then. The kernel
 * makes another directory for the next process with its pid, and to ask for that takes a fifth of the time; within
 * `trustedNanos` it need not be asked. What such a process is now does not matter to the trees of workers that `selfPid` has
 * started.
 */
export const readingEldersOnce = (
  reader: Pick<ProcReader, "entry" | "folder">,
  selfPid: number,
  trustedNanos: bigint
): ((pid: number) => ProcessEntry | undefined) => {
  const elders = new Map<number, Elder>()
  const ownStartTicks = reader.entry(selfPid)?.startTicks ?? 0
  return (pid) => {
    const known = elders.get(pid)
    const seenNanos = process.hrtime.bigint()
    if (known !== undefined) {
      if (seenNanos - known.seenNanos < trustedNanos) return known.entry
      const folder = reader.folder(pid)
      if (folder?.ino === known.ino && folder.ctimeMs === known.ctimeMs) {
        known.seenNanos = seenNanos
        return known.entry
      }
      elders.delete(pid)
    }
    const folder = reader.folder(pid)
    const entry = reader.entry(pid)
    if (entry !== undefined && folder !== undefined && entry.startTicks < ownStartTicks)
      elders.set(pid, { entry, ino: folder.ino, ctimeMs: folder.ctimeMs, seenNanos })
    return entry
  }
}
