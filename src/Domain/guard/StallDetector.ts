import { humanDuration } from "../text/Amounts.ts"
import type { Stall } from "../verdict/WorkerEnd.ts"

/** What a worker has done so far, as seen at one look. Milliseconds on a clock that only goes forward. */
export interface ActivitySample {
  readonly atMs: number
  /** When it said something last; when it was started, if it never has. */
  readonly lastOutputMs: number
  /** The CPU time of each of its processes, by pid and start. */
  readonly cpuMs: ReadonlyMap<string, number>
  /** What changes when a watched file does. */
  readonly files: string
  /** It waits for something that takes its time: a usage limit that has named its end. */
  readonly isExcused: boolean
  /** What it waits for, where it has said so: a tool that it has called. */
  readonly tool: string | undefined
}

/** How long a worker may do nothing. */
export interface StallRules {
  readonly stallTimeoutMs: number
  /** While a tool runs that it has called: longer, but not for ever. */
  readonly toolTimeoutMs: number
}

/** What was seen of a worker so far. */
export interface StallDetector {
  readonly sample: ActivitySample
  /** The sample that showed activity last: the quiet time and its CPU time count from there. */
  readonly active: ActivitySample
  readonly isWarned: boolean
}

/** What follows from a look. */
export interface StallLook {
  readonly watch: StallDetector
  /** `half`: half of the time is over, told once. `stalled`: all of it. */
  readonly news: ({ readonly _tag: "half" | "stalled" } & Stall) | undefined
}

/**
 * An idle agent is not quite idle: Claude Code uses 0.4 to 1.2 % of a core while it waits for a tool, in bursts of up
 * to 7 % for some seconds. So the mean over the whole quiet time decides, and a burst of its own is allowed.
 */
const idleShare = 0.025
const burstMs = 500

/** Whether processes have come, or have used more CPU time since the last activity than an idle program does. */
const hasWorked = ({ active, sample }: StallDetector, now: ActivitySample, limitMs: number): boolean => {
  let usedMs = 0
  for (const [process, cpuMs] of now.cpuMs) {
    if (!sample.cpuMs.has(process)) return true
    usedMs += Math.max(0, cpuMs - (active.cpuMs.get(process) ?? 0))
  }
  return usedMs > idleShare * (now.atMs - active.atMs) + Math.min(burstMs, limitMs / 10)
}

/** Before the second look nothing can be said: a worker that is seen for the first time was active just now. */
export const beginDetector = (sample: ActivitySample): StallDetector => ({
  sample,
  active: sample,
  isWarned: false
})

/**
 * Whether a worker has stalled: no output, no CPU time and no change of a watched file, all of it, for the whole time.
 * A machine that sleeps does not count, because its monotonic clock stands still.
 */
export const nextDetector = (before: StallDetector, now: ActivitySample, rules: StallRules): StallLook => {
  const limitMs =
    now.tool === undefined ? rules.stallTimeoutMs : Math.max(rules.stallTimeoutMs, rules.toolTimeoutMs)
  const isActive =
    now.lastOutputMs > before.sample.lastOutputMs ||
    now.isExcused ||
    now.files !== before.sample.files ||
    hasWorked(before, now, limitMs)
  if (isActive) return { watch: beginDetector(now), news: undefined }
  const stall = { quietMs: now.atMs - before.active.atMs, limitMs, tool: now.tool }
  const watch = { ...before, sample: now }
  if (stall.quietMs >= limitMs) return { watch, news: { _tag: "stalled", ...stall } }
  return stall.quietMs >= limitMs / 2 && !before.isWarned
    ? { watch: { ...watch, isWarned: true }, news: { _tag: "half", ...stall } }
    : { watch, news: undefined }
}

const shortestMs = 50
const longestMs = 30_000

/** How often a worker is looked at: what is told is late by no more than a twentieth. */
export const stallLookMs = ({ stallTimeoutMs }: StallRules): number =>
  Math.min(longestMs, Math.max(shortestMs, Math.floor(stallTimeoutMs / 20)))

const nothing = ({ quietMs, tool }: Stall): string =>
  `no output, no CPU time and no change of a watched file for ${humanDuration(quietMs)}${tool === undefined ? "" : ` while ${tool} runs`}`

/** Why a worker is restarted: `stalled: no output, no CPU time and no change of a watched file for 20 minutes`. */
export const stallReason = (stall: Stall): string => `stalled: ${nothing(stall)}`

/** The warning at half time. */
export const describeHalf = (stall: Stall): string =>
  `The worker may have stalled: ${nothing(stall)}. It is restarted after ${humanDuration(stall.limitMs)}`
