import { backstopBytes } from "../machine/GroupMemory.ts"
import type { ProjectName } from "../Project.ts"
import type { EffectiveSettings } from "../settings/EffectiveSettings.ts"
import type { TreeMember } from "../tree/WorkerMemory.ts"
import type { LimitOutcome } from "../verdict/OverLimit.ts"

/** The limits that are set, in bytes. */
export const workerLimits = ({
  projects
}: Pick<EffectiveSettings, "projects">): ReadonlyMap<ProjectName, number> =>
  new Map(
    projects.flatMap(({ project, settings }) => {
      const { workerLimitBytes } = settings.memory
      return workerLimitBytes === false ? [] : [[project, workerLimitBytes] as const]
    })
  )

/** Up to where the kernel lets each worker grow, in bytes: none where there is no limit, or it is only tried out. */
export const backstops = ({
  memory,
  projects
}: Pick<EffectiveSettings, "memory" | "projects">): ReadonlyMap<ProjectName, number> =>
  new Map(
    memory.dryRun
      ? []
      : [...workerLimits({ projects })].map(([project, limitBytes]) => [project, backstopBytes(limitBytes)])
  )

/** What a worker holds at one moment. */
export interface SizeSample {
  /** On a clock that only goes forward. */
  readonly atMs: number
  /** Memory and swap, shared pages counted for each process. */
  readonly treeBytes: number
  /** With shared pages counted once: looked at only when the other is above the limit. */
  readonly proportionalBytes: number | undefined
}

/** The kernel must clear every page first: nothing grows faster. */
const fastestGrowth = (6 * 2 ** 30) / 1000

/** Agents that have stood still for hours have been seen to begin to grow like this. Bytes a millisecond. */
const suddenGrowth = 2 ** 30 / 1000

const shortestMs = 250
const longestMs = 10_000

/** Of one core, a twentieth. */
const restPerWork = 20

/** A machine that stalls makes a look long that was no work. */
const longestRestMs = 60_000

/** How fast a worker has grown, in bytes a millisecond. */
const growthBetween = (before: SizeSample | undefined, now: SizeSample): number =>
  before === undefined || now.atMs <= before.atMs
    ? 0
    : Math.max(0, now.treeBytes - before.treeBytes) / (now.atMs - before.atMs)

/**
 * How long until a worker with a limit is looked at again, in milliseconds: half as long as it would take to reach the
 * limit at the pace of the last two looks, so that a steady leak is seen in ever shorter steps. A worker that stands
 * still is not trusted to go on so. One that is above its limit has been dealt with, and nothing is urgent.
 */
export const nextSampleMs = (limitBytes: number, now: SizeSample, before: SizeSample | undefined): number => {
  const headroomBytes = limitBytes - (now.proportionalBytes ?? now.treeBytes)
  if (headroomBytes < 0) return longestMs
  const growth = Math.min(fastestGrowth, Math.max(suddenGrowth, 2 * growthBetween(before, now)))
  return Math.min(longestMs, Math.max(shortestMs, Math.ceil(headroomBytes / growth)))
}

/** The same after a look that has taken `tookMs`: looking costs no more than a twentieth of a core. */
export const restMs = (wantedMs: number, tookMs: number): number =>
  Math.max(Math.min(longestMs, wantedMs), Math.min(longestRestMs, Math.ceil(restPerWork * tookMs)))

/**
 * The proportional size of a tree. One whose share is not known counts with all it holds: `shares` has no entry for it.
 */
export const proportionalOf = (
  members: ReadonlyArray<TreeMember>,
  shares: ReadonlyMap<number, number>
): number =>
  members.reduce(
    (sum, { pid, residentBytes, swapBytes }) => sum + (shares.get(pid) ?? residentBytes + swapBytes),
    0
  )

/** What follows from a look at a worker; undefined for one that is within its limit however it is counted. */
export const limitOutcome = (
  proportionalBytes: number | undefined,
  limitBytes: number,
  dryRun: boolean
): LimitOutcome | undefined => {
  if (proportionalBytes === undefined) return undefined
  if (proportionalBytes <= limitBytes) return "shared"
  return dryRun ? "dry-run" : "restart"
}

/** What was told of a worker last. */
export interface ToldLimit {
  readonly workerId: string
  readonly limitBytes: number
  readonly outcome: LimitOutcome
}

/** A worker that goes up and down at its limit is told of again only when it has been this far below in between. */
const forgottenBelow = 0.9

/** What has been told of a worker after a look; undefined when there is nothing to tell of it. */
export const nextToldLimit = (
  told: ToldLimit | undefined,
  now: Omit<ToldLimit, "outcome"> & { readonly outcome: LimitOutcome | undefined },
  treeBytes: number
): ToldLimit | undefined => {
  const { limitBytes, outcome, workerId } = now
  const isSame = told?.workerId === workerId && told.limitBytes === limitBytes
  if (outcome !== undefined) {
    // Whoever was told the worse knows.
    const isKnown = isSame && (told.outcome === outcome || outcome === "shared")
    return isKnown ? told : { workerId, limitBytes, outcome }
  }
  return isSame && treeBytes > forgottenBelow * limitBytes ? told : undefined
}
