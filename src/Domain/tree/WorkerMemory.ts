import type { GroupMemory } from "../machine/GroupMemory.ts"
import { heldBytes, isAlive, type ProcessEntry, type ProcessIdentity } from "../machine/ProcessEntry.ts"
import type { ProcessFacts } from "../machine/ProcessFacts.ts"
import type { ProjectName } from "../Project.ts"
import { type LiveWorker, type Origin, originsOf } from "./ProcessOrigin.ts"

/**
 * The memory of one worker's processes. Shared pages count for each process, but only once for those in a cgroup that
 * accounts memory.
 */
export interface TreeMemory {
  readonly residentBytes: number
  readonly swapBytes: number
  readonly processes: number
}

/** The memory of a worker now, and its peak. */
export interface RunMemory extends TreeMemory {
  /** The largest sample since the start of this worker, swap included. */
  readonly peakBytes: number
  /** The CPU time since the sample before; 1000 is one core. Undefined at the first sample. */
  readonly cpuPerMille?: number | undefined
}

/** One process of a worker. */
export interface TreeMember extends ProcessIdentity, Pick<ProcessEntry, "residentBytes" | "swapBytes"> {
  /** Used since the start of the process. */
  readonly cpuMs?: number
}

/** The memory that the kernel accounts for a worker's cgroup, and the members of that. */
interface GroupHoldings extends GroupMemory {
  readonly pids: ReadonlySet<number>
}

/** The processes of a running worker. */
export interface TreeMembers {
  readonly project: ProjectName
  readonly workerId: string
  readonly leaderPid: number
  readonly members: ReadonlyArray<TreeMember>
  /** Undefined without a cgroup of its own that accounts memory. */
  readonly group?: GroupHoldings | undefined
}

/** The project of the running worker that a process belongs to. */
const ownerIn = (origin: Origin): ProjectName | undefined => {
  switch (origin._tag) {
    case "Worker":
    case "Orphan":
    // The process carries the id of the running worker.
    case "Unclear":
      return origin.project
    case "Daemon":
    case "Leftover":
    case "OtherDaemon":
    case "Stranger":
      return undefined
  }
}

/**
 * The trees of the running workers: the leader, its session and group, all its descendants, and every process with the
 * worker's id in its environment. Copies, because the next scan overwrites the entries of this one.
 */
export const workerTrees = (
  facts: ProcessFacts,
  workers: ReadonlyArray<LiveWorker>
): ReadonlyArray<TreeMembers> => {
  const originOf = originsOf(facts, workers)
  const members = new Map<ProjectName, Array<TreeMember>>()
  for (const entry of facts.processes.values()) {
    if (entry.isKernelThread || !isAlive(entry)) continue
    const project = ownerIn(originOf(entry))
    if (project === undefined) continue
    const { cpuMs, pid, residentBytes, startTicks, swapBytes } = entry
    const known = members.get(project)
    const member = { pid, startTicks, residentBytes, swapBytes, cpuMs }
    if (known === undefined) members.set(project, [member])
    else known.push(member)
  }
  return workers.flatMap(({ project, running }) =>
    running === undefined
      ? []
      : [
          {
            project,
            workerId: running.id,
            leaderPid: running.leaderPid,
            members: members.get(project) ?? []
          }
        ]
  )
}

/** Sets the swap of each process, where it is known. */
export const withSwap = (tree: TreeMembers, swapBytes: ReadonlyMap<number, number>): TreeMembers => ({
  ...tree,
  members: tree.members.map((member) => ({
    ...member,
    swapBytes: swapBytes.get(member.pid) ?? member.swapBytes
  }))
})

/** The members that must be counted one by one: those outside of the cgroup that accounts memory. */
export const countedEach = ({
  group,
  members
}: Pick<TreeMembers, "group" | "members">): ReadonlyArray<TreeMember> =>
  group === undefined ? members : members.filter(({ pid }) => !group.pids.has(pid))

export const treeMemory = (tree: Pick<TreeMembers, "group" | "members">): TreeMemory => {
  const each = countedEach(tree)
  let { residentBytes, swapBytes } = tree.group ?? { residentBytes: 0, swapBytes: 0 }
  for (const member of each) {
    residentBytes += member.residentBytes
    swapBytes += member.swapBytes
  }
  return { residentBytes, swapBytes, processes: (tree.group?.pids.size ?? 0) + each.length }
}

/**
 * The CPU time that processes have used between two samples; 1000 is one core. A process that has come meanwhile counts with
 * all its time, one that has exited with none. Undefined without a time between them.
 */
export const cpuPerMille = (
  before: ReadonlyArray<TreeMember>,
  now: ReadonlyArray<TreeMember>,
  elapsedMs: number
): number | undefined => {
  if (elapsedMs <= 0) return undefined
  const known = new Map(before.map(({ cpuMs = 0, pid, startTicks }) => [`${pid} ${startTicks}`, cpuMs]))
  const usedMs = now.reduce(
    (sum, { cpuMs = 0, pid, startTicks }) =>
      sum + Math.max(0, cpuMs - (known.get(`${pid} ${startTicks}`) ?? 0)),
    0
  )
  return Math.round((1000 * usedMs) / elapsedMs)
}

/** Adds a sample to the memory of the same run. */
export const nextRunMemory = (
  before: RunMemory | undefined,
  now: TreeMemory & Pick<RunMemory, "cpuPerMille">
): RunMemory => ({
  ...now,
  peakBytes: Math.max(before?.peakBytes ?? 0, heldBytes(now))
})
