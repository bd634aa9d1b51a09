import { isAlive, type ProcessFacts, type ScannedProcess } from "../Domain/ProcessFacts.ts"
import { residentPages, scannedProcess } from "../Domain/ProcessStat.ts"
import type { ProcReader } from "./ProcReader.ts"

/** The worker's id in an environment; null when there is none. */
type Mark = string | null

/** Written over at each look: thousands of new objects a look would cost more than what they say. */
type Row = { -readonly [K in keyof ScannedProcess]: ScannedProcess[K] } & {
  /** Undefined until its environment was read. */
  mark: Mark | undefined
  /** The number of the look that has seen it last. */
  seenIn: number
  /** The number of the look that has read all of it last. */
  renewedIn: number
}

/** Of so many processes one is read anew at each look, so that no mistake lasts. */
const renewEvery = 64

/**
 * What a process is changes rarely, and how much it holds all the time. So a process that was seen a moment ago is
 * only asked for its size, which costs two thirds of asking for its parent, session and start too. What is remembered
 * can be wrong, for a pid can be given to another process between two looks: whatever matters must be renewed.
 */
export const makeRememberedProcesses = (root: string, reader: ProcReader, pageBytes: number) => {
  const rows = new Map<number, Row>()
  let look = 0

  const renew = (pid: number): void => {
    const before = rows.get(pid)
    if (before?.renewedIn === look) return
    const length = reader.short(`${root}/${pid}/stat`)
    const now = length === undefined ? undefined : scannedProcess(reader.bytes, length, pid, pageBytes)
    if (now === undefined) {
      rows.delete(pid)
      return
    }
    const same = before?.startTicks === now.startTicks ? before : undefined
    const swapBytes = same?.seenIn === look ? same.swapBytes : 0
    rows.set(pid, { ...now, swapBytes, mark: same?.mark, seenIn: look, renewedIn: look })
  }

  return {
    /** The processes of the look that goes on. */
    processes: rows as ReadonlyMap<number, ScannedProcess>,
    /** A look begins. When the last one is too long ago, nothing of it may be relied on. */
    begin: (isLongAgo: boolean): void => {
      look++
      if (isLongAgo) rows.clear()
    },
    /** Reads a process, or only its size where the rest is remembered. */
    read: (pid: number): void => {
      const row = rows.get(pid)
      if (row === undefined) return renew(pid)
      if ((pid + look) % renewEvery === 0) {
        // Who had none may have got one, as by becoming another program; who had one was born with it.
        if (row.mark === null) row.mark = undefined
        return renew(pid)
      }
      const length = reader.short(`${root}/${pid}/statm`)
      const pages = length === undefined ? 0 : residentPages(reader.bytes, length)
      // Nothing in memory: it may have become a zombie, or be gone.
      if (pages === 0 && (length === undefined || (isAlive(row) && !row.isKernelThread))) return renew(pid)
      row.residentBytes = pages * pageBytes
      row.swapBytes = 0
      row.seenIn = look
    },
    /** All have been read: forgets those that are gone, and reads those anew whose parent is, or is younger. */
    mend: (): void => {
      for (const [pid, { seenIn }] of rows) if (seenIn !== look) rows.delete(pid)
      for (const { parentPid, pid, startTicks } of rows.values()) {
        const parent = rows.get(parentPid)
        if (parentPid > 1 && (parent === undefined || parent.startTicks > startTicks)) renew(pid)
      }
    },
    /** Adds what a process has in swap. */
    swapped: (pid: number, bytes: number): void => {
      const row = rows.get(pid)
      if (row !== undefined) row.swapBytes = bytes
    },
    /** Reads a process anew, and all that it descends from. */
    renewLine: (pid: number): void => {
      const climbed = new Set<number>()
      for (let at: number | undefined = pid; at !== undefined && !climbed.has(at); ) {
        climbed.add(at)
        renew(at)
        at = rows.get(at)?.parentPid
      }
    },
    isMarkKnown: (pid: number): boolean => rows.get(pid)?.mark !== undefined,
    /** Remembers what its environment says. */
    mark: (pid: number, mark: Mark): void => {
      const row = rows.get(pid)
      if (row !== undefined) row.mark = mark
    },
    marks: (): ProcessFacts["marks"] => {
      const marks = new Map<number, string>()
      for (const { mark, pid } of rows.values()) if (mark !== null && mark !== undefined) marks.set(pid, mark)
      return marks
    }
  }
}
