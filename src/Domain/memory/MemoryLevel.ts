import * as Schema from "effect/Schema"
import type { MemoryReading } from "../machine/MemoryReading.ts"
import type { MemoryThresholds } from "../settings/MemoryThresholds.ts"

/** How much memory there is, as it matters here. */
export const MemoryLevel = Schema.Literal("plentiful", "low", "critical")
export type MemoryLevel = typeof MemoryLevel.Type

type Available = Pick<MemoryReading, "availableBytes">

/** Below a threshold, not at it, is its level. */
export const levelOf = (
  { availableBytes }: Available,
  { criticalBytes, minAvailableBytes }: MemoryThresholds
): MemoryLevel =>
  availableBytes < criticalBytes ? "critical" : availableBytes < minAvailableBytes ? "low" : "plentiful"

/** As fast as a program can fill memory: the kernel must clear every page first. */
const fastestFillBytesPerMs = (6 * 2 ** 30) / 1000

const shortestLookMs = 50

/**
 * How long until the next look, in milliseconds: no longer than it takes to fill memory down to the next threshold that
 * is not crossed yet, so that none is crossed by much before it is seen.
 */
export const nextLookMs = (
  reading: Available,
  { criticalBytes, minAvailableBytes }: MemoryThresholds,
  pollIntervalMs: number
): number => {
  const level = levelOf(reading, { criticalBytes, minAvailableBytes })
  if (level === "critical") return shortestLookMs
  const threshold = level === "low" ? criticalBytes : minAvailableBytes
  const untilThenMs = Math.floor((reading.availableBytes - threshold) / fastestFillBytesPerMs)
  return Math.max(shortestLookMs, Math.min(untilThenMs, pollIntervalMs))
}

const rank: Readonly<Record<MemoryLevel, number>> = { plentiful: 0, low: 1, critical: 2 }

export const isWorse = (level: MemoryLevel, than: MemoryLevel): boolean => rank[level] > rank[than]

/** The level that people were told last. */
export interface ToldLevel {
  readonly level: MemoryLevel
  /** Since when it has been better than that all the time; undefined while it is not. */
  readonly betterSinceMs: number | undefined
}

/** Before anything was told: plenty needs no words. */
export const nothingTold: ToldLevel = { level: "plentiful", betterSinceMs: undefined }

/**
 * A relief is told once it has lasted this long. A time, and not a distance from the threshold: memory that stays just
 * above it is plentiful and must be told to be so in the end, and memory that goes up and down by much, as programs
 * start and end, would cross any distance again and again.
 */
const reliefMs = 30_000

/** What people have been told after a look at `nowMs` of a clock that only goes forward. What is worse is told at once. */
export const nextTold = (told: ToldLevel, level: MemoryLevel, nowMs: number): ToldLevel => {
  if (isWorse(level, told.level)) return { level, betterSinceMs: undefined }
  if (level === told.level)
    return told.betterSinceMs === undefined ? told : { level, betterSinceMs: undefined }
  const betterSinceMs = told.betterSinceMs ?? nowMs
  return nowMs - betterSinceMs < reliefMs
    ? { level: told.level, betterSinceMs }
    : { level, betterSinceMs: undefined }
}
