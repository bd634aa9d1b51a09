import type { ProcessEntry } from "./ProcessTree.ts"

/** What the processes of one worker hold together. */
export interface TreeMemory {
  readonly residentBytes: number
  readonly processes: number
}

/**
 * What each worker's tree holds, by the pid of its leader: the leader, its session and group, and all that descends
 * from it, in one walk over the process table. What has left the session and lost its parents is not counted: only
 * its environment would tell, and that is too dear to read again and again.
 */
export const memoryByLeader = (
  table: ReadonlyArray<ProcessEntry>,
  leaders: ReadonlySet<number>
): ReadonlyMap<number, TreeMemory> => {
  const byPid = new Map(table.map((entry) => [entry.pid, entry]))
  const found = new Map<number, number | undefined>()
  const own = (entry: ProcessEntry): number | undefined =>
    [entry.pid, entry.session, entry.group].find((pid) => leaders.has(pid))
  const leaderOf = (entry: ProcessEntry): number | undefined => {
    const climbed: Array<number> = []
    let leader: number | undefined
    // A table that is read while it changes may have a circle; a chain of forks may be longer than the stack is deep.
    for (let at: ProcessEntry | undefined = entry; at !== undefined; at = byPid.get(at.parentPid)) {
      leader = own(at) ?? found.get(at.pid)
      if (leader !== undefined || found.has(at.pid)) break
      climbed.push(at.pid)
      found.set(at.pid, undefined)
    }
    for (const pid of climbed) found.set(pid, leader)
    return leader
  }
  const totals = new Map<number, TreeMemory>()
  for (const entry of table) {
    const leader = leaderOf(entry)
    if (leader === undefined) continue
    const before = totals.get(leader) ?? { residentBytes: 0, processes: 0 }
    totals.set(leader, {
      residentBytes: before.residentBytes + entry.residentBytes,
      processes: before.processes + 1
    })
  }
  return totals
}
