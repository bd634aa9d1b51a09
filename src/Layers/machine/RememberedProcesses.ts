import {
  heldBytes,
  isAlive,
  type ProcessFacts,
  type ScannedProcess
} from "../../Domain/machine/ProcessFacts.ts"
import { residentPages, scannedProcess } from "../../Domain/machine/ProcessStat.ts"
import type { ProcReader } from "./ProcReader.ts"

/** The worker's id in an environment; null when there is none. */
type Mark = string | null

/** Written over at each look: thousands of new objects a look would cost more than what they say. */
type Row = { -readonly [K in keyof ScannedProcess]: ScannedProcess[K] } & {
  /** The path of the short file with its size. */
  readonly sizePath: string
  /** The same file, when it is kept open. */
  sizeFile: number | undefined
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
 * Between its fork and its exec a process shows the environment of its parent. For so long after its start, measured by
 * the youngest that was seen, nobody is taken for unmarked: 5 s, in the kernel's ticks.
 */
const youngTicks = 500

const isSameKin = (one: ScannedProcess, other: ScannedProcess): boolean =>
  one.parentPid === other.parentPid &&
  one.session === other.session &&
  one.group === other.group &&
  isAlive(one) === isAlive(other)

/**
 * What a process is changes rarely, and how much it holds all the time. So a process that was seen a moment ago is
 * only asked for its size, which costs two thirds of asking for its parent, session and start too. What is remembered
 * can be wrong, for a pid can be given to another process between two looks: whatever matters must be renewed.
 *
 * On a machine with thousands of processes every walk over the rows costs as much as a hundred reads. So what is large
 * is noted while it is read, what follows from kinship and marks is worked out only after one of them has changed, and
 * `mostOpen` of the files with a size are kept open from the second look on.
 */
export const makeRememberedProcesses = (
  root: string,
  reader: ProcReader,
  pageBytes: number,
  mostOpen: number
) => {
  const rows = new Map<number, Row>()
  const marks = new Map<number, string>()
  const large = new Set<number>()
  let largeBytes = 0
  let look = 0
  /** How many rows have been seen in this look. */
  let seen = 0
  /** Another number whenever there is another process, kinship or mark. */
  let version = 0
  let mendedVersion = -1
  let youngestTicks = 0
  let open = 0

  const closeSize = (row: Row): void => {
    if (row.sizeFile === undefined) return
    reader.close(row.sizeFile)
    row.sizeFile = undefined
    open--
  }

  /** How long the file with its size is now, whose text is what was read last. */
  const readSize = (row: Row): number | undefined => {
    if (row.sizeFile !== undefined) return reader.again(row.sizeFile)
    if (open >= mostOpen) return reader.short(row.sizePath)
    row.sizeFile = reader.open(row.sizePath)
    if (row.sizeFile === undefined) return undefined
    open++
    return reader.again(row.sizeFile)
  }

  const forget = (row: Row): void => {
    closeSize(row)
    rows.delete(row.pid)
    marks.delete(row.pid)
    large.delete(row.pid)
    if (row.seenIn === look) seen--
    version++
  }

  const noteSize = (row: Row): void => {
    if (heldBytes(row) >= largeBytes) large.add(row.pid)
    else if (large.size > 0) large.delete(row.pid)
  }

  const see = (row: Row): void => {
    if (row.seenIn === look) return
    row.seenIn = look
    row.swapBytes = 0
    seen++
  }

  const renew = (pid: number): void => {
    const before = rows.get(pid)
    if (before?.renewedIn === look) return
    const length = reader.short(`${root}/${pid}/stat`)
    const now = length === undefined ? undefined : scannedProcess(reader.bytes, length, pid, pageBytes)
    if (before !== undefined && before.startTicks !== now?.startTicks) forget(before)
    if (now === undefined) return
    if (before?.startTicks !== now.startTicks) {
      const row: Row = Object.assign(now, {
        sizePath: `${root}/${pid}/statm`,
        sizeFile: undefined,
        mark: undefined,
        seenIn: look,
        renewedIn: look
      })
      rows.set(pid, row)
      youngestTicks = Math.max(youngestTicks, now.startTicks)
      seen++
      version++
      noteSize(row)
      return
    }
    if (!isSameKin(before, now)) version++
    before.parentPid = now.parentPid
    before.session = now.session
    before.group = now.group
    before.state = now.state
    before.isKernelThread = now.isKernelThread
    before.residentBytes = now.residentBytes
    before.renewedIn = look
    see(before)
    noteSize(before)
  }

  return {
    /** The processes of the look that goes on. */
    processes: rows as ReadonlyMap<number, ScannedProcess>,
    /** The worker's id of those that have one. */
    marks: marks as ProcessFacts["marks"],
    /** A look for those of this size begins. When the last one is too long ago, nothing of it may be relied on. */
    begin: (isLongAgo: boolean, sizeBytes: number): void => {
      look++
      seen = 0
      large.clear()
      largeBytes = sizeBytes
      if (isLongAgo) for (const row of rows.values()) forget(row)
    },
    /** Closes all files. */
    close: (): void => {
      for (const row of rows.values()) closeSize(row)
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
      const length = readSize(row)
      const pages = length === undefined ? 0 : residentPages(reader.bytes, length)
      // Nothing in memory: it may have become a zombie, or be gone.
      if (pages === 0 && (length === undefined || (isAlive(row) && !row.isKernelThread))) return renew(pid)
      row.residentBytes = pages * pageBytes
      see(row)
      noteSize(row)
    },
    /** All have been read: forgets those that are gone, and reads those anew whose parent is, or is younger. */
    mend: (): void => {
      if (seen < rows.size) for (const row of rows.values()) if (row.seenIn !== look) forget(row)
      if (version === mendedVersion) return
      mendedVersion = version
      for (const { parentPid, pid, startTicks } of rows.values()) {
        const parent = rows.get(parentPid)
        if (parentPid > 1 && (parent === undefined || parent.startTicks > startTicks)) renew(pid)
      }
    },
    /** Adds what a process has in swap. */
    swapped: (pid: number, bytes: number): void => {
      const row = rows.get(pid)
      if (row === undefined) return
      row.swapBytes = bytes
      noteSize(row)
    },
    /** Those of the size that is looked for. */
    large: (): ReadonlyArray<ScannedProcess> =>
      [...large].map((pid) => rows.get(pid)).filter((row) => row !== undefined),
    /** Reads a process anew, and all that it descends from. */
    renewLine: (pid: number): void => {
      const climbed = new Set<number>()
      for (let at: number | undefined = pid; at !== undefined && !climbed.has(at); ) {
        climbed.add(at)
        renew(at)
        at = rows.get(at)?.parentPid
      }
    },
    isMarkKnown: (pid: number): boolean => {
      const row = rows.get(pid)
      if (row?.mark === undefined) return false
      return row.mark !== null || youngestTicks - row.startTicks > youngTicks
    },
    /** Remembers what its environment says. */
    mark: (pid: number, mark: Mark): void => {
      const row = rows.get(pid)
      if (row === undefined) return
      row.mark = mark
      if (mark === null || marks.get(pid) === mark) return
      marks.set(pid, mark)
      version++
    },
    /** What follows from who is there, descends from whom and is marked: made anew after a change only. */
    following: <K, A>(make: (about: K) => A): ((about: K) => A) => {
      let made: { readonly version: number; readonly about: K; readonly value: A } | undefined
      return (about) => {
        if (made?.version !== version || made.about !== about) made = { version, about, value: make(about) }
        return made.value
      }
    }
  }
}
