import type { GroupMemory } from "../machine/GroupMemory.ts"
import { isAlive, type ProcessFacts, type ScannedProcess } from "../machine/ProcessFacts.ts"
import type { ProjectName } from "../Project.ts"
import { type Origin, originsOf, type WorkerInCharge } from "./ProcessOrigin.ts"

/**
 * What the processes of one worker hold together. Pages that they share are counted for each, but once for those in a
 * cgroup that accounts memory.
 */
export interface TreeMemory {
  readonly residentBytes: number
  readonly swapBytes: number
  readonly processes: number
}

/** What a worker holds, and the most that it has held. */
export interface LifeMemory extends TreeMemory {
  /** Swap included; of all looks since this worker was started. */
  readonly peakBytes: number
}

/** One process of a worker. With its start time the pid names it for ever. */
export interface TreeMember
  extends Pick<ScannedProcess, "pid" | "startTicks" | "residentBytes" | "swapBytes"> {}

/** What the kernel accounts for a worker's own cgroup, and who is in it. */
interface GroupHoldings extends GroupMemory {
  readonly pids: ReadonlySet<number>
}

/** The processes of a worker that runs. */
export interface TreeMembers {
  readonly project: ProjectName
  readonly workerId: string
  readonly leaderPid: number
  readonly members: ReadonlyArray<TreeMember>
  /** Undefined where it has no cgroup of its own, or memory is not accounted for that. */
  readonly group?: GroupHoldings | undefined
}

/** The project of the worker that runs and that a process belongs to. */
const ownerIn = (origin: Origin): ProjectName | undefined => {
  switch (origin._tag) {
    case "Worker":
    case "Orphan":
    // It carries the worker's id, whatever its parents are.
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
 * The trees of the workers that run: the leader, its session and group, all that descends from it, and what carries its
 * id in the environment, wherever that has gone. What a look finds is written over by the next one, so this is a copy.
 */
export const workerTrees = (
  facts: ProcessFacts,
  workers: ReadonlyArray<WorkerInCharge>
): ReadonlyArray<TreeMembers> => {
  const originOf = originsOf(facts, workers)
  const members = new Map<ProjectName, Array<TreeMember>>()
  for (const entry of facts.processes.values()) {
    if (entry.isKernelThread || !isAlive(entry)) continue
    const project = ownerIn(originOf(entry))
    if (project === undefined) continue
    const { pid, residentBytes, startTicks, swapBytes } = entry
    const known = members.get(project)
    const member = { pid, startTicks, residentBytes, swapBytes }
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

/** The same tree, with what its processes have in swap where that is known. */
export const withSwap = (tree: TreeMembers, swapBytes: ReadonlyMap<number, number>): TreeMembers => ({
  ...tree,
  members: tree.members.map((member) => ({
    ...member,
    swapBytes: swapBytes.get(member.pid) ?? member.swapBytes
  }))
})

/** The members that the kernel does not account for the worker as a whole: all of them where it has no such cgroup. */
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

/** Memory and swap of a worker together. */
export const treeBytes = ({ residentBytes, swapBytes }: TreeMemory): number => residentBytes + swapBytes

/** What is known of a worker after another look at it; `before` is what was known of the same one. */
export const nextLife = (before: LifeMemory | undefined, now: TreeMemory): LifeMemory => ({
  ...now,
  peakBytes: Math.max(before?.peakBytes ?? 0, treeBytes(now))
})
