import * as Either from "effect/Either"
import { nextWindow, noWindow, type PressureWindow } from "../machine/MemoryPressure.ts"
import type { MemorySight, UnusableFile } from "../machine/MemoryReading.ts"
import type { MemorySettings } from "../settings/MemorySettings.ts"
import { type MemoryThresholds, scaledThresholds, thresholdsInForce } from "../settings/MemoryThresholds.ts"
import type { MemoryEvent } from "./MemoryEvent.ts"
import { nextLookMs, nextTold, nothingTold, type ToldLevel } from "./MemoryLevel.ts"
import { figuresOf, type MemoryLook, memoryLook } from "./MemoryLook.ts"

/** The settings that a look goes by. */
export type WatchSettings = Pick<
  MemorySettings,
  "pollIntervalMs" | "minAvailableBytes" | "criticalThresholdBytes"
>

/** What looks at the memory have shown so far. */
interface MemoryWatch {
  /** Undefined until the memory could be read for the first time; while it cannot be read, the last look stays. */
  readonly last: MemoryLook | undefined
  readonly window: PressureWindow
  readonly told: ToldLevel
  /** By path, when a file was of no use last. */
  readonly unusable: ReadonlyMap<string, number>
  /** Undefined until it was known how much memory there is. */
  readonly limits: Limits | undefined
}

/** The thresholds in force with these settings and so much memory. */
interface Limits {
  readonly settings: WatchSettings
  readonly totalBytes: number
  readonly thresholds: MemoryThresholds
  /** Why the thresholds that are set are not in force, where that is so. */
  readonly unfit: string | undefined
}

/** Before the first look. */
export const nothingSeen: MemoryWatch = {
  last: undefined,
  window: noWindow,
  told: nothingTold,
  unusable: new Map(),
  limits: undefined
}

/** What a look leads to. */
interface Watched {
  readonly watch: MemoryWatch
  /** To be told now. */
  readonly news: ReadonlyArray<MemoryEvent>
  /** How long until the next look, in milliseconds. */
  readonly nextMs: number
}

/** The moment of a look, on the clock that people read and on one that only goes forward. */
interface LookTime {
  readonly wallMs: number
  readonly monotonicMs: number
}

/** How soon memory that could not be read is tried again. */
const retryMs = 1000

/** A file that fails now and then is told of once: again only when it has not failed for so long. */
const forgetMs = 60_000

const nextUnusable = (
  before: ReadonlyMap<string, number>,
  files: ReadonlyArray<UnusableFile>,
  nowMs: number
): ReadonlyMap<string, number> => {
  if (before.size === 0 && files.length === 0) return before
  const remembered = [...before].filter(([, lastMs]) => nowMs - lastMs < forgetMs)
  return new Map([...remembered, ...files.map(({ path }) => [path, nowMs] as const)])
}

/**
 * The thresholds with so much memory. A cgroup's limit may shrink below what is set, which is refused only when
 * settings are read; everything would be critical then, for ever.
 */
const limitsOf = (settings: WatchSettings, totalBytes: number): Limits =>
  Either.match(thresholdsInForce(settings, totalBytes), {
    onLeft: (problems) => ({
      settings,
      totalBytes,
      thresholds: scaledThresholds(totalBytes),
      unfit: problems.map(({ path, reason }) => `${path.join(".")} ${reason}`).join("; ")
    }),
    onRight: (thresholds) => ({ settings, totalBytes, thresholds, unfit: undefined })
  })

/** They seldom change, and a look should cost nothing. */
const nextLimits = (before: Limits | undefined, settings: WatchSettings, totalBytes: number): Limits =>
  before?.settings === settings && before.totalBytes === totalBytes ? before : limitsOf(settings, totalBytes)

/** Takes in what a look has seen. */
export const watchStep = (
  before: MemoryWatch,
  { reading, unusable: files }: MemorySight,
  settings: WatchSettings,
  now: LookTime
): Watched => {
  const unusable = nextUnusable(before.unusable, files, now.monotonicMs)
  const news: Array<MemoryEvent> = []
  for (const file of files) {
    if (!before.unusable.has(file.path)) news.push({ _tag: "MemoryFileUnusable", ...file })
  }
  if (reading === undefined) {
    return { watch: { ...before, unusable }, news, nextMs: Math.min(retryMs, settings.pollIntervalMs) }
  }
  const limits = nextLimits(before.limits, settings, reading.totalBytes)
  const { thresholds, unfit } = limits
  if (unfit !== undefined && unfit !== before.limits?.unfit) {
    news.push({ _tag: "MemoryThresholdsUnfit", reason: unfit })
  }
  const { monotonicMs, wallMs } = now
  const window = nextWindow(before.window, reading.stall && { totals: reading.stall, monotonicMs, wallMs })
  const last = memoryLook(reading, window.pressure, thresholds)
  const told = nextTold(before.told, last.level, now.monotonicMs)
  if (told.level !== before.told.level) {
    news.push({ _tag: "MemoryLevelChanged", before: before.told.level, ...figuresOf(last) })
  }
  return {
    watch: { last, window, told, unusable, limits },
    news,
    nextMs: nextLookMs(reading, thresholds, settings.pollIntervalMs)
  }
}
