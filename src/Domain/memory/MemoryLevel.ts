import * as Schema from "effect/Schema"
import type { MemoryReading } from "../machine/MemoryReading.ts"
import type { MemoryThresholds } from "../settings/MemoryThresholds.ts"

/** The classification of available memory. */
export const MemoryLevel = Schema.Literal("plentiful", "low", "critical")
export type MemoryLevel = typeof MemoryLevel.Type

type Available = Pick<MemoryReading, "availableBytes">

/** A level begins below its threshold, not at it. */
export const levelOf = (
  { availableBytes }: Available,
  { criticalBytes, minAvailableBytes }: MemoryThresholds
): MemoryLevel =>
  availableBytes < criticalBytes ? "critical" : availableBytes < minAvailableBytes ? "low" : "plentiful"

/** No program fills memory faster, because the kernel clears every page first. */
const fastestFillBytesPerMs = (6 * 2 ** 30) / 1000

const shortestSampleMs = 50

/**
 * The delay until the next sample in milliseconds: the time in which a program could fill memory down to the next
 * threshold, so that memory is never far below a threshold unseen.
 */
export const nextReadMs = (
  reading: Available,
  { criticalBytes, minAvailableBytes }: MemoryThresholds,
  pollIntervalMs: number
): number => {
  const level = levelOf(reading, { criticalBytes, minAvailableBytes })
  if (level === "critical") return shortestSampleMs
  const threshold = level === "low" ? criticalBytes : minAvailableBytes
  const untilThenMs = Math.floor((reading.availableBytes - threshold) / fastestFillBytesPerMs)
  return Math.max(shortestSampleMs, Math.min(untilThenMs, pollIntervalMs))
}

const rank: Readonly<Record<MemoryLevel, number>> = { plentiful: 0, low: 1, critical: 2 }

export const isWorse = (level: MemoryLevel, than: MemoryLevel): boolean => rank[level] > rank[than]

/** The last reported level. */
export interface ReportedLevel {
  readonly level: MemoryLevel
  /** The time since which memory has been better than that without a break; undefined while it is not. */
  readonly betterSinceMs: number | undefined
}

/** Before the first report: plentiful memory is not reported. */
export const nothingReported: ReportedLevel = { level: "plentiful", betterSinceMs: undefined }

/**
 * A better level is reported once it has lasted this long. A time, and not a distance to the threshold: memory that stays
 * just above it must be reported as plentiful in the end, and memory that jumps would cross any distance.
 */
const reliefMs = 30_000

/** The reported level after a sample at `nowMs` on the monotonic clock. A worse level is reported at once. */
export const nextReported = (reported: ReportedLevel, level: MemoryLevel, nowMs: number): ReportedLevel => {
  if (isWorse(level, reported.level)) return { level, betterSinceMs: undefined }
  if (level === reported.level)
    return reported.betterSinceMs === undefined ? reported : { level, betterSinceMs: undefined }
  const betterSinceMs = reported.betterSinceMs ?? nowMs
  return nowMs - betterSinceMs < reliefMs
    ? { level: reported.level, betterSinceMs }
    : { level, betterSinceMs: undefined }
}
