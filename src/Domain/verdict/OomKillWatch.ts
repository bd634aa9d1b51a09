import type { WorkerExit } from "../tree/WorkerExit.ts"
import { treeBytes } from "../tree/WorkerMemory.ts"
import { type CountedKills, type GroupKills, type OomEvidence, type OomSample } from "./OomKill.ts"

/** What a worker's cgroup says when it is looked at. */
export interface GroupSight {
  readonly folder: string
  /** How many of its members the kernel has killed since the group was made. */
  readonly kills: number
  /** Nobody is in it but the daemon and this worker. */
  readonly isAlone: boolean
}

/** What the counters say at a moment of a clock that only goes forward; undefined is what is not known. */
export interface KillSight {
  readonly atMs: number
  readonly group: GroupSight | undefined
  readonly machineKills: number | undefined
}

type Noticed<Kills extends CountedKills> = Omit<Kills, "ageMs"> & { readonly atMs: number }

/** What was seen of a worker's counters since it was started. */
export interface OomKillWatch {
  readonly sight: KillSight
  /** The worst of what was known since then. */
  readonly sample: OomSample
  readonly inGroup: Noticed<GroupKills> | undefined
  readonly onMachine: Noticed<CountedKills> | undefined
}

/**
 * The one with less memory available, and with the larger tree: a kill gives memory back, so that what is known right
 * after it speaks of plenty and of a small tree.
 */
const worseSample = (one: OomSample, other: OomSample): OomSample => ({
  memory:
    one.memory === undefined ||
    (other.memory !== undefined && other.memory.reading.availableBytes < one.memory.reading.availableBytes)
      ? other.memory
      : one.memory,
  tree:
    one.tree === undefined || (other.tree !== undefined && treeBytes(other.tree) > treeBytes(one.tree))
      ? other.tree
      : one.tree
})

/** Kills before the first sight are not the worker's. */
export const beginWatch = (sight: KillSight, sample: OomSample): OomKillWatch => ({
  sight,
  sample,
  inGroup: undefined,
  onMachine: undefined
})

/** More is known of the memory, and the counters were not looked at. */
export const withSample = (watch: OomKillWatch, sample: OomSample): OomKillWatch => ({
  ...watch,
  sample: worseSample(watch.sample, sample)
})

const rise = (before: number | undefined, now: number | undefined): number =>
  before === undefined || now === undefined ? 0 : Math.max(0, now - before)

/** The counters were looked at again. What they have gone up by happened since the last sight. */
export const nextWatch = (watch: OomKillWatch, sight: KillSight, sample: OomSample): OomKillWatch => {
  const before = worseSample(watch.sample, sample)
  const { atMs, group } = sight
  const last = watch.sight.group?.folder === group?.folder ? watch.sight.group : undefined
  const ofGroup = rise(last?.kills, group?.kills)
  const ofMachine = rise(watch.sight.machineKills, sight.machineKills)
  const isAlone = last?.isAlone === true && group?.isAlone === true
  return {
    sight,
    sample,
    inGroup:
      group === undefined || ofGroup === 0
        ? watch.inGroup
        : {
            folder: group.folder,
            count: (watch.inGroup?.count ?? 0) + ofGroup,
            alone: (watch.inGroup?.alone ?? 0) + (isAlone ? ofGroup : 0),
            atMs,
            before
          },
    onMachine:
      ofMachine === 0 ? watch.onMachine : { count: (watch.onMachine?.count ?? 0) + ofMachine, atMs, before }
  }
}

/** One of the kills that were counted was another worker's, as is known by now. */
export const withoutOne = (watch: OomKillWatch): OomKillWatch => {
  const { inGroup } = watch
  if (inGroup === undefined || inGroup.count <= inGroup.alone) return watch
  return {
    ...watch,
    inGroup: inGroup.count === 1 ? undefined : { ...inGroup, count: inGroup.count - 1 }
  }
}

/** What is known once the leader has ended and the counters were looked at after that. */
export const evidenceOf = (
  { inGroup, onMachine, sample, sight: { atMs: nowMs, group } }: OomKillWatch,
  leader: WorkerExit,
  wasAsked: boolean
): OomEvidence => ({
  leader,
  wasAsked,
  group:
    inGroup !== undefined
      ? { ...inGroup, ageMs: nowMs - inGroup.atMs }
      : group && { folder: group.folder, count: 0, alone: 0, ageMs: 0, before: sample },
  machine: onMachine && { ...onMachine, ageMs: nowMs - onMachine.atMs }
})
