import type { ProcessEntry } from "./ProcessTree.ts"

/** One process of a scan. Threads are none. */
export interface ScannedProcess extends ProcessEntry {
  readonly isKernelThread: boolean
  /** What it has in swap; 0 where that was not looked at, because hardly any swap is in use. */
  readonly swapBytes: number
}

/** What is dear to read, and therefore known only of processes that matter. */
export interface ProcessDetails {
  /** What the process calls itself, at most 15 characters. */
  readonly comm: string
  /** Where the link `/proc/<pid>/exe` points; undefined when it cannot be read. */
  readonly executable: string | undefined
  readonly argv: ReadonlyArray<string>
  /** Whether all its user ids are the daemon's. */
  readonly isOwnUser: boolean
}

/** All processes at one moment, as far as memory is concerned. */
export interface ProcessFacts {
  /** The daemon's own. */
  readonly selfPid: number
  /** Of the daemon's home: what its workers' ids begin with. */
  readonly homeId: string
  readonly processes: ReadonlyMap<number, ScannedProcess>
  /** The worker's id in the environment, of any home, where the environment was read and has one. */
  readonly marks: ReadonlyMap<number, string>
  /** Of the large ones, and of those that have lost their worker. */
  readonly details: ReadonlyMap<number, ProcessDetails>
}

/** The processes in the cgroup of a worker that runs. */
export interface GroupMembers {
  readonly workerId: string
  readonly pids: ReadonlySet<number>
}

/**
 * The same facts, where who is in a worker's cgroup is known to be of that worker, also when it has cleared its
 * environment and left session and parent.
 */
export const withMembers = (facts: ProcessFacts, groups: ReadonlyArray<GroupMembers>): ProcessFacts => {
  const unmarked = groups.flatMap(({ pids, workerId }) =>
    [...pids].flatMap((pid) => (facts.marks.has(pid) ? [] : [[pid, workerId] as const]))
  )
  return unmarked.length === 0 ? facts : { ...facts, marks: new Map([...facts.marks, ...unmarked]) }
}

/** What a process costs: memory that would be free without it, pages shared with others included. */
export const heldBytes = ({ residentBytes, swapBytes }: ScannedProcess): number => residentBytes + swapBytes

/** Zombies are gone: they hold nothing but their row. */
export const isAlive = ({ state }: ProcessEntry): boolean => state !== "Z" && state !== "X"
