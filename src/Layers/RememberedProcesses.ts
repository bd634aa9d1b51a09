import type { ProcessFacts, ScannedProcess } from "../Domain/ProcessFacts.ts"
import { residentPages, scannedProcess } from "../Domain/ProcessStat.ts"
import type { ProcReader } from "./ProcReader.ts"

/** Its size is overwritten at each look: thousands of new objects a look would cost more than they say. */
type Row = { -readonly [K in keyof ScannedProcess]: ScannedProcess[K] }

/** The worker's id in an environment; null when there is none. */
type Mark = string | null

/** Of so many processes one is read anew at each look, so that no mistake lasts. */
const renewEvery = 64

/**
 * What a process is changes rarely, and how much it holds all the time. So a process that was seen a moment ago is
 * only asked for its size, which costs two thirds of asking for its parent, session and start too. What is remembered
 * can be wrong, for a pid can be given to another process between two looks: whatever matters must be renewed.
 */
export const makeRememberedProcesses = (root: string, reader: ProcReader, pageBytes: number) => {
  let remembered: ReadonlyMap<number, Row> = new Map()
  let rememberedMarks: ReadonlyMap<number, Mark> = new Map()
  let looks = 0

  const begin = () => {
    const turn = looks++
    const processes = new Map<number, Row>()
    const marks = new Map<number, Mark>()
    const renewed = new Set<number>()

    const renew = (pid: number): void => {
      if (renewed.has(pid)) return
      renewed.add(pid)
      const length = reader.short(`${root}/${pid}/stat`)
      const process = length === undefined ? undefined : scannedProcess(reader.bytes, length, pid, pageBytes)
      if (process === undefined || remembered.get(pid)?.startTicks !== process.startTicks) marks.delete(pid)
      if (process === undefined) processes.delete(pid)
      else processes.set(pid, process)
    }

    return {
      processes,
      /** Reads a process, or only its size where the rest is remembered. */
      read: (pid: number): void => {
        const row = remembered.get(pid)
        const isDue = (pid + turn) % renewEvery === 0
        const mark = rememberedMarks.get(pid)
        // Who had none may have got one, as by becoming another program; who had one was born with it.
        if (mark !== undefined && !(mark === null && isDue)) marks.set(pid, mark)
        const length = row === undefined || isDue ? undefined : reader.short(`${root}/${pid}/statm`)
        const pages = length === undefined ? 0 : residentPages(reader.bytes, length)
        // A zombie holds nothing. That it has become one is not remembered.
        if (row === undefined || isDue || (pages === 0 && !row.isKernelThread)) return renew(pid)
        row.residentBytes = pages * pageBytes
        row.swapBytes = 0
        processes.set(pid, row)
      },
      /** Adds what a process has in swap. */
      swapped: (pid: number, bytes: number): void => {
        const row = processes.get(pid)
        if (row !== undefined) row.swapBytes = bytes
      },
      /** Reads a process anew, and all that it descends from. */
      renewLine: (pid: number): void => {
        const climbed = new Set<number>()
        for (let at: number | undefined = pid; at !== undefined && !climbed.has(at); ) {
          climbed.add(at)
          const swapBytes = processes.get(at)?.swapBytes ?? 0
          renew(at)
          const row = processes.get(at)
          if (row !== undefined) row.swapBytes = swapBytes
          at = row?.parentPid
        }
      },
      /** Reads those anew whose parent cannot be it: it is gone, or younger than its child. */
      mend: (): void => {
        for (const { parentPid, pid, startTicks } of processes.values()) {
          const parent = processes.get(parentPid)
          if (parentPid > 1 && (parent === undefined || parent.startTicks > startTicks)) renew(pid)
        }
      },
      isMarkKnown: (pid: number): boolean => marks.has(pid),
      /** Remembers what its environment says. */
      mark: (pid: number, mark: Mark): void => void marks.set(pid, mark),
      marks: (): ProcessFacts["marks"] =>
        new Map([...marks].flatMap(([pid, mark]) => (mark === null ? [] : [[pid, mark]]))),
      /** What the next look may rely on. */
      end: (): void => {
        remembered = processes
        rememberedMarks = marks
      }
    }
  }

  return {
    begin,
    /** When the last look is too long ago, nothing of it may be relied on. */
    forget: (): void => {
      remembered = new Map()
      rememberedMarks = new Map()
    }
  }
}
