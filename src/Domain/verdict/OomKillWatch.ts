import { heldBytes } from "../machine/ProcessEntry.ts"
import type { WorkerExit } from "../tree/WorkerExit.ts"
import type { CountedKills, OomEvidence, OomSample } from "./OomKill.ts"

/** The counters of the kernel at one moment; undefined where one cannot be read. */
export interface KillCounts {
  /** On a monotonic clock. */
  readonly atMs: number
  /** In the worker's own cgroup. */
  readonly group: number | undefined
  /** On the whole machine. */
  readonly machine: number | undefined
}

type NoticedKills = Omit<CountedKills, "ageMs"> & { readonly atMs: number }

/** The kills noticed since a worker was started. */
export interface OomKillWatch {
  readonly last: KillCounts
  /** The worst sample since the counters were last read. */
  readonly sample: OomSample
  readonly group: NoticedKills | undefined
  readonly machine: NoticedKills | undefined
}

/**
 * The sample with less memory available and the larger tree: a kill frees memory, so a sample taken right after it
 * shows plenty of memory and a small tree.
 */
const worseSample = (one: OomSample, other: OomSample): OomSample => ({
  memory:
    one.memory === undefined ||
    (other.memory !== undefined && other.memory.reading.availableBytes < one.memory.reading.availableBytes)
      ? other.memory
      : one.memory,
  tree:
    one.tree === undefined || (other.tree !== undefined && heldBytes(other.tree) > heldBytes(one.tree))
      ? other.tree
      : one.tree
})

/** Starts to count from `last`: earlier kills are not the worker's. */
export const beginWatch = (last: KillCounts, sample: OomSample): OomKillWatch => ({
  last,
  sample,
  group: undefined,
  machine: undefined
})

/** Adds a sample that was taken between two readings of the counters. */
export const withSample = (watch: OomKillWatch, sample: OomSample): OomKillWatch => ({
  ...watch,
  sample: worseSample(watch.sample, sample)
})

/** Adds a reading of the counters. An increase counts as kills since the last reading. */
export const nextWatch = (watch: OomKillWatch, counts: KillCounts, sample: OomSample): OomKillWatch => {
  const before = worseSample(watch.sample, sample)
  const noticed = (counter: "group" | "machine"): NoticedKills | undefined => {
    const rise = (counts[counter] ?? 0) - (watch.last[counter] ?? Number.POSITIVE_INFINITY)
    const known = watch[counter]
    return rise > 0 ? { count: (known?.count ?? 0) + rise, atMs: counts.atMs, before } : known
  }
  return { last: counts, sample, group: noticed("group"), machine: noticed("machine") }
}

const counted = ({ atMs, ...kills }: NoticedKills, nowMs: number): CountedKills => ({
  ...kills,
  ageMs: nowMs - atMs
})

/** The evidence once the leader has exited and the counters were read after that. */
export const evidenceOf = (
  { group, last, machine, sample }: OomKillWatch,
  leader: WorkerExit,
  wasAsked: boolean,
  folder: string | undefined
): OomEvidence => {
  const none = { count: 0, atMs: last.atMs, before: sample }
  const ofGroup = group ?? (last.group === undefined ? undefined : none)
  return {
    leader,
    wasAsked,
    group: folder === undefined ? undefined : ofGroup && { ...counted(ofGroup, last.atMs), folder },
    machine: machine && counted(machine, last.atMs)
  }
}
