import { heldBytes, isAlive, type ProcessEntry } from "../../Domain/machine/ProcessEntry.ts"
import type { ProcessFacts } from "../../Domain/machine/ProcessFacts.ts"
import type { ProcReader } from "./ProcReader.ts"

/** The worker id in an environment; null when there is none. */
type Mark = string | null

/** A scan overwrites its rows: thousands of new objects would cost more than the reads. */
type Row = { -readonly [K in keyof ProcessEntry]: ProcessEntry[K] } & {
  readonly statmPath: string
  /** The descriptor of that file, while it is kept open. */
  statm: number | undefined
  /** Undefined until the environment was read. */
  mark: Mark | undefined
  /** Number of the scan that read this row last. */
  seenIn: number
  /** Number of the scan that read all of `stat` last. */
  renewedIn: number
}

/** Every scan renews one row in so many, so that a wrong row does not last. */
const renewEvery = 64

/**
 * Between fork and exec a process shows the environment of its parent. A process without a mark is therefore read again
 * until it is this much older than the youngest process: 5 s, in the kernel's ticks.
 */
const youngTicks = 500

const hasSameKin = (one: ProcessEntry, other: ProcessEntry): boolean =>
  one.parentPid === other.parentPid &&
  one.session === other.session &&
  one.group === other.group &&
  isAlive(one) === isAlive(other)

/**
 * Remembers processes between scans. Parents, sessions and environments change rarely and sizes always, so a known
 * process is only read for its size, which saves two thirds of the time. A remembered row can be wrong, because the
 * kernel may reuse a pid between two scans: `renewLine` must refresh every row that a decision depends on.
 *
 * With thousands of processes one pass over the rows costs as much as a hundred reads. So large rows are collected while
 * they are read, derived sets are rebuilt only when kinship or a mark has changed, and up to `mostOpen` files of sizes
 * stay open from the second scan on.
 */
export const makeProcessCache = (reader: ProcReader, mostOpen: number) => {
  const { statm } = reader
  const rows = new Map<number, Row>()
  const marks = new Map<number, string>()
  const large = new Set<number>()
  let largeBytes = 0
  let scan = 0
  let isLongAgo = false
  /** Rows read in this scan. */
  let seen = 0
  /** Changes with every change of processes, kinship or marks. */
  let version = 0
  let repairedVersion = -1
  let youngestTicks = 0
  let open = 0

  const closeStatm = (row: Row): void => {
    if (row.statm === undefined) return
    statm.close(row.statm)
    row.statm = undefined
    open--
  }

  const readSize = (row: Row): number | undefined => {
    if (row.statm !== undefined) return statm.bytesOpen(row.statm)
    if (open >= mostOpen) return statm.bytes(row.statmPath)
    row.statm = statm.open(row.statmPath)
    if (row.statm === undefined) return undefined
    open++
    return statm.bytesOpen(row.statm)
  }

  const forget = (row: Row): void => {
    closeStatm(row)
    rows.delete(row.pid)
    marks.delete(row.pid)
    large.delete(row.pid)
    if (row.seenIn === scan) seen--
    version++
  }

  const noteSize = (row: Row): void => {
    if (heldBytes(row) >= largeBytes) large.add(row.pid)
    else if (large.size > 0) large.delete(row.pid)
  }

  const see = (row: Row): void => {
    if (row.seenIn === scan) return
    row.seenIn = scan
    row.swapBytes = 0
    seen++
  }

  const renew = (pid: number): void => {
    const before = rows.get(pid)
    if (before?.renewedIn === scan) return
    const now = reader.entry(pid)
    if (before !== undefined && before.startTicks !== now?.startTicks) forget(before)
    if (now === undefined) return
    if (before?.startTicks !== now.startTicks) {
      const row: Row = Object.assign(now, {
        statmPath: statm.path(pid),
        statm: undefined,
        mark: undefined,
        seenIn: scan,
        renewedIn: scan
      })
      rows.set(pid, row)
      youngestTicks = Math.max(youngestTicks, now.startTicks)
      seen++
      version++
      noteSize(row)
      return
    }
    if (!hasSameKin(before, now)) version++
    before.parentPid = now.parentPid
    before.session = now.session
    before.group = now.group
    before.state = now.state
    before.isKernelThread = now.isKernelThread
    before.cpuMs = now.cpuMs
    before.residentBytes = now.residentBytes
    before.renewedIn = scan
    see(before)
    noteSize(before)
  }

  return {
    /** The processes of the current scan. */
    processes: rows as ReadonlyMap<number, ProcessEntry>,
    /** The worker ids of the processes that have one. */
    marks: marks as ProcessFacts["marks"],
    /** Begins a scan for processes of `sizeBytes`. After a long time nothing of the last scan can be relied on. */
    begin: (afterLong: boolean, sizeBytes: number): void => {
      scan++
      seen = 0
      large.clear()
      largeBytes = sizeBytes
      isLongAgo = afterLong
    },
    /** Closes all files. */
    close: (): void => {
      for (const row of rows.values()) closeStatm(row)
    },
    /** Reads a process, or only its size if the rest is remembered. */
    read: (pid: number): void => {
      const row = rows.get(pid)
      if (row === undefined) return renew(pid)
      if (isLongAgo || (pid + scan) % renewEvery === 0) {
        // An exec may have added a mark; a mark that a process was born with stays.
        if (row.mark === null) row.mark = undefined
        return renew(pid)
      }
      const bytes = readSize(row)
      // Nothing in memory: the process may have become a zombie, or be gone.
      if (bytes === undefined || (bytes === 0 && isAlive(row) && !row.isKernelThread)) return renew(pid)
      row.residentBytes = bytes
      see(row)
      noteSize(row)
    },
    /** After all were read: forgets the processes that are gone, and renews those whose parent is gone or younger. */
    repair: (): void => {
      if (seen < rows.size) for (const row of rows.values()) if (row.seenIn !== scan) forget(row)
      if (version === repairedVersion) return
      repairedVersion = version
      for (const { parentPid, pid, startTicks } of rows.values()) {
        const parent = rows.get(parentPid)
        if (parentPid > 1 && (parent === undefined || parent.startTicks > startTicks)) renew(pid)
      }
    },
    addSwap: (pid: number, bytes: number): void => {
      const row = rows.get(pid)
      if (row === undefined) return
      row.swapBytes = bytes
      noteSize(row)
    },
    /** The processes of at least the size that the scan is for. */
    large: (): ReadonlyArray<ProcessEntry> =>
      [...large].map((pid) => rows.get(pid)).filter((row) => row !== undefined),
    /** Renews a process and all its ancestors. */
    renewLine: (pid: number): void => {
      const climbed = new Set<number>()
      // No process has pid 0, the parent of the first one.
      for (let at: number | undefined = pid; at !== undefined && at > 0 && !climbed.has(at); ) {
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
    mark: (pid: number, mark: Mark): void => {
      const row = rows.get(pid)
      if (row === undefined) return
      row.mark = mark
      if (mark === null || marks.get(pid) === mark) return
      marks.set(pid, mark)
      version++
    },
    /** Memoizes what is derived from processes, kinship and marks until one of these changes. */
    derived: <K, A>(derive: (about: K) => A): ((about: K) => A) => {
      let made: { readonly version: number; readonly about: K; readonly value: A } | undefined
      return (about) => {
        if (made?.version !== version || made.about !== about) made = { version, about, value: derive(about) }
        return made.value
      }
    }
  }
}
