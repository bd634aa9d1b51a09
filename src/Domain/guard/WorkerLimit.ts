import { backstopBytes } from "../machine/GroupMemory.ts"
import type { ProjectName } from "../Project.ts"
import type { EffectiveSettings } from "../settings/EffectiveSettings.ts"
import type { TreeMember } from "../tree/WorkerMemory.ts"
import type { LimitOutcome } from "../verdict/OverLimit.ts"

/** The configured limits in bytes. */
export const workerLimits = ({
  projects
}: Pick<EffectiveSettings, "projects">): ReadonlyMap<ProjectName, number> =>
  new Map(
    projects.flatMap(({ project, settings }) => {
      const { workerLimitBytes } = settings.memory
      return workerLimitBytes === false ? [] : [[project, workerLimitBytes] as const]
    })
  )

/** The `memory.max` of each worker in bytes; none without a limit, or in dry-run mode. */
export const backstops = ({
  memory,
  projects
}: Pick<EffectiveSettings, "memory" | "projects">): ReadonlyMap<ProjectName, number> =>
  new Map(
    memory.dryRun
      ? []
      : [...workerLimits({ projects })].map(([project, limitBytes]) => [project, backstopBytes(limitBytes)])
  )

/** The memory of a worker at one moment. */
export interface SizeSample {
  /** On the monotonic clock. */
  readonly atMs: number
  /** Memory and swap, shared pages counted for each process. */
  readonly treeBytes: number
  /** With shared pages counted once. Read only when `treeBytes` is above the limit. */
  readonly proportionalBytes: number | undefined
}

/** Bytes a millisecond. Nothing grows faster, because the kernel clears every page first. */
const fastestGrowth = (6 * 2 ** 30) / 1000

/** Bytes a millisecond. Agents have been observed to begin to grow like this after idle hours. */
const suddenGrowth = 2 ** 30 / 1000

const shortestMs = 250
const longestMs = 10_000

/** Samples take at most a twentieth of a core. */
const restPerWork = 20

/** On a machine that stalls a sample takes long without being work. */
const longestRestMs = 60_000

/** Growth in bytes a millisecond. */
const growthBetween = (before: SizeSample | undefined, now: SizeSample): number =>
  before === undefined || now.atMs <= before.atMs
    ? 0
    : Math.max(0, now.treeBytes - before.treeBytes) / (now.atMs - before.atMs)

/**
 * The delay until the next sample in milliseconds: half the time in which the worker would reach its limit at the pace of
 * the last two samples. A worker that stands still may begin to grow suddenly. One above its limit was dealt with already.
 */
export const nextSampleMs = (limitBytes: number, now: SizeSample, before: SizeSample | undefined): number => {
  const headroomBytes = limitBytes - (now.proportionalBytes ?? now.treeBytes)
  if (headroomBytes < 0) return longestMs
  const growth = Math.min(fastestGrowth, Math.max(suddenGrowth, 2 * growthBetween(before, now)))
  return Math.min(longestMs, Math.max(shortestMs, Math.ceil(headroomBytes / growth)))
}

/** The same delay after a sample that took `tookMs`, extended so that samples take at most a twentieth of a core. */
export const restMs = (wantedMs: number, tookMs: number): number =>
  Math.max(Math.min(longestMs, wantedMs), Math.min(longestRestMs, Math.ceil(restPerWork * tookMs)))

/**
 * The proportional size of a tree. A process without an entry in `shares` counts with all it holds.
 */
export const proportionalOf = (
  members: ReadonlyArray<TreeMember>,
  shares: ReadonlyMap<number, number>
): number =>
  members.reduce(
    (sum, { pid, residentBytes, swapBytes }) => sum + (shares.get(pid) ?? residentBytes + swapBytes),
    0
  )

/** The outcome of a sample; undefined for a worker within its limit. */
export const limitOutcome = (
  proportionalBytes: number | undefined,
  limitBytes: number,
  dryRun: boolean
): LimitOutcome | undefined => {
  if (proportionalBytes === undefined) return undefined
  if (proportionalBytes <= limitBytes) return "shared"
  return dryRun ? "dry-run" : "restart"
}

/** The last report on a worker. */
export interface ReportedLimit {
  readonly workerId: string
  readonly limitBytes: number
  readonly outcome: LimitOutcome
}

/** A worker must fall below this share of its limit before it is reported again. */
const forgottenBelow = 0.9

/** The last report after a sample; undefined when nothing is reported. */
export const nextReportedLimit = (
  reported: ReportedLimit | undefined,
  now: Omit<ReportedLimit, "outcome"> & { readonly outcome: LimitOutcome | undefined },
  treeBytes: number
): ReportedLimit | undefined => {
  const { limitBytes, outcome, workerId } = now
  const isSame = reported?.workerId === workerId && reported.limitBytes === limitBytes
  if (outcome !== undefined) {
    // A reported restart or dry run covers `shared`.
    const isKnown = isSame && (reported.outcome === outcome || outcome === "shared")
    return isKnown ? reported : { workerId, limitBytes, outcome }
  }
  return isSame && treeBytes > forgottenBelow * limitBytes ? reported : undefined
}
