import type { ProcessEntry } from "./ProcessEntry.ts"

/** Expensive to read, so known only of processes that matter. */
export interface ProcessDetails {
  /** The name that the process gives itself, at most 15 characters. */
  readonly comm: string
  /** The target of the link `/proc/<pid>/exe`; undefined when it cannot be read. */
  readonly executable: string | undefined
  readonly argv: ReadonlyArray<string>
  /** Whether all its user ids are the daemon's. */
  readonly isOwnUser: boolean
}

/** The result of a scan. */
export interface ProcessFacts {
  /** The pid of the daemon itself. */
  readonly selfPid: number
  /** The id of the daemon's home, with which the ids of its workers begin. */
  readonly homeId: string
  /** All processes by pid. */
  readonly processes: ReadonlyMap<number, ProcessEntry>
  /** Worker ids of any home, by the pid of the process that has one in its environment, as far as these were read. */
  readonly marks: ReadonlyMap<number, string>
  /** Details of large processes and of those that have strayed from a worker. */
  readonly details: ReadonlyMap<number, ProcessDetails>
}

/** The processes in the cgroup of a running worker. */
export interface GroupMembers {
  readonly workerId: string
  readonly pids: ReadonlySet<number>
}

/**
 * Marks the members of a worker's cgroup with its id, also those that have cleared their environment and left session
 * and parent.
 */
export const withMembers = (facts: ProcessFacts, groups: ReadonlyArray<GroupMembers>): ProcessFacts => {
  const unmarked = groups.flatMap(({ pids, workerId }) =>
    [...pids].flatMap((pid) => (facts.marks.has(pid) ? [] : [[pid, workerId] as const]))
  )
  return unmarked.length === 0 ? facts : { ...facts, marks: new Map([...facts.marks, ...unmarked]) }
}
