import * as Either from "effect/Either"
import { nextWindow, noWindow, type PressureWindow } from "../machine/MemoryPressure.ts"
import type { MemoryReadResult, UnusableFile } from "../machine/MemoryReading.ts"
import type { MemorySettings } from "../settings/MemorySettings.ts"
import { type MemoryThresholds, scaledThresholds, thresholdsInForce } from "../settings/MemoryThresholds.ts"
import type { MemoryEvent } from "./MemoryEvent.ts"
import { nextReadMs, nextReported, nothingReported, type ReportedLevel } from "./MemoryLevel.ts"
import { figuresOf, type MemorySample, memorySample } from "./MemorySample.ts"

/** The settings of the memory watch. */
export type WatchSettings = Pick<
  MemorySettings,
  "pollIntervalMs" | "minAvailableBytes" | "criticalThresholdBytes"
>

/** The state between two samples. */
interface MemoryWatch {
  /** The last sample; undefined until memory could be read. */
  readonly last: MemorySample | undefined
  readonly window: PressureWindow
  readonly reported: ReportedLevel
  /** The time of the last failure of a file, by path. */
  readonly unusable: ReadonlyMap<string, number>
  /** Undefined until memory could be read. */
  readonly limits: Limits | undefined
}

/** The thresholds in force for these settings and this much memory. */
interface Limits {
  readonly settings: WatchSettings
  readonly totalBytes: number
  readonly thresholds: MemoryThresholds
  /** Why the configured thresholds are not in force; undefined if they are. */
  readonly unfit: string | undefined
}

/** Before the first sample. */
export const noSamples: MemoryWatch = {
  last: undefined,
  window: noWindow,
  reported: nothingReported,
  unusable: new Map(),
  limits: undefined
}

/** The result of a step. */
interface Watched {
  readonly watch: MemoryWatch
  readonly events: ReadonlyArray<MemoryEvent>
  /** The delay until the next sample in milliseconds. */
  readonly nextMs: number
}

/** The time of a sample. */
interface SampleTime {
  readonly wallMs: number
  readonly monotonicMs: number
}

/** The delay after memory could not be read. */
const retryMs = 1000

/** A failing file is reported again only if it has not failed for this long. */
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
 * The thresholds for this much memory. Thresholds that do not fit are refused when settings are read, but the limit of a
 * cgroup may shrink later. Then scaled ones apply, because otherwise memory would be critical for ever.
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

/** Computed only after a change, because a sample should cost nothing. */
const nextLimits = (before: Limits | undefined, settings: WatchSettings, totalBytes: number): Limits =>
  before?.settings === settings && before.totalBytes === totalBytes ? before : limitsOf(settings, totalBytes)

/** Takes a reading. */
export const watchStep = (
  before: MemoryWatch,
  { reading, unusable: files }: MemoryReadResult,
  settings: WatchSettings,
  now: SampleTime
): Watched => {
  const unusable = nextUnusable(before.unusable, files, now.monotonicMs)
  const events: Array<MemoryEvent> = []
  for (const file of files) {
    if (!before.unusable.has(file.path)) events.push({ _tag: "MemoryFileUnusable", ...file })
  }
  if (reading === undefined) {
    return { watch: { ...before, unusable }, events, nextMs: Math.min(retryMs, settings.pollIntervalMs) }
  }
  const limits = nextLimits(before.limits, settings, reading.totalBytes)
  const { thresholds, unfit } = limits
  if (unfit !== undefined && unfit !== before.limits?.unfit) {
    events.push({ _tag: "MemoryThresholdsUnfit", reason: unfit })
  }
  const { monotonicMs, wallMs } = now
  const window = nextWindow(before.window, reading.stall && { totals: reading.stall, monotonicMs, wallMs })
  const last = memorySample(reading, window.pressure, thresholds)
  const reported = nextReported(before.reported, last.level, now.monotonicMs)
  if (reported.level !== before.reported.level) {
    events.push({ _tag: "MemoryLevelChanged", before: before.reported.level, ...figuresOf(last) })
  }
  return {
    watch: { last, window, reported, unusable, limits },
    events,
    nextMs: nextReadMs(reading, thresholds, settings.pollIntervalMs)
  }
}
