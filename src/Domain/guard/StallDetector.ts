import { humanDuration } from "../text/Amounts.ts"
import type { Stall } from "../verdict/WorkerEnd.ts"

/** The activity of a worker at one moment. Times are milliseconds on the monotonic clock. */
export interface ActivitySample {
  readonly atMs: number
  /** The time of its last output, or of its start before any. */
  readonly lastOutputMs: number
  /** CPU time by process: the key is pid and start time. */
  readonly cpuMs: ReadonlyMap<string, number>
  /** A text that changes with any watched file. */
  readonly files: string
  /** A worker that waits for the announced end of a usage limit, or for what its agent has left, is not stalled. */
  readonly isExcused: boolean
  /** The name of the tool that it has called and waits for. */
  readonly tool: string | undefined
}

/** Limits the time that a worker may be inactive. */
export interface StallRules {
  readonly stallTimeoutMs: number
  /** The same while a tool runs that the agent has called. */
  readonly toolTimeoutMs: number
}

/** The state of the detector for one worker. */
export interface StallDetector {
  readonly sample: ActivitySample
  /** The sample that showed activity last: the quiet time and its CPU time count from there. */
  readonly active: ActivitySample
  /** The time without activity, as far as it counts. */
  readonly quietMs: number
  readonly isWarned: boolean
}

/** The result of a sample. */
interface StallStep {
  readonly detector: StallDetector
  /** `half`: half of the time is over, reported once. `stalled`: all of it is over. */
  readonly finding: ({ readonly _tag: "half" | "stalled" } & Stall) | undefined
}

const shortestMs = 50
const longestMs = 30_000

/** The interval of samples: a report is late by a twentieth of the timeout at most. */
export const stallSampleMs = ({ stallTimeoutMs }: StallRules): number =>
  Math.min(longestMs, Math.max(shortestMs, Math.floor(stallTimeoutMs / 20)))

/**
 * An idle agent is not quite idle: Claude Code uses 0.4 to 1.2 % of a core while it waits for a tool, in bursts of up
 * to 7 % for some seconds. So the mean over the whole quiet time decides, and a burst of its own is allowed.
 */
const idleShare = 0.025
const burstMs = 500

/** Whether processes have come, or have used more CPU time since the last activity than an idle program does. */
const hasWorked = (
  { active, sample }: StallDetector,
  now: ActivitySample,
  quietMs: number,
  limitMs: number
): boolean => {
  let usedMs = 0
  for (const [process, cpuMs] of now.cpuMs) {
    if (!sample.cpuMs.has(process)) return true
    usedMs += Math.max(0, cpuMs - (active.cpuMs.get(process) ?? 0))
  }
  return usedMs > idleShare * quietMs + Math.min(burstMs, limitMs / 10)
}

/** A worker counts as active at its first sample. */
export const beginDetector = (sample: ActivitySample): StallDetector => ({
  sample,
  active: sample,
  quietMs: 0,
  isWarned: false
})

/**
 * Takes a sample. A worker has stalled when it had no output, used no CPU time and changed no watched file for the whole
 * timeout. Time in which the machine sleeps does not count, because the monotonic clock stands still. A pause of daemon
 * and worker together (`docker pause`, SIGSTOP) shows only as a gap between two samples, which therefore counts as two
 * intervals at most.
 */
export const nextDetector = (before: StallDetector, now: ActivitySample, rules: StallRules): StallStep => {
  const limitMs =
    now.tool === undefined ? rules.stallTimeoutMs : Math.max(rules.stallTimeoutMs, rules.toolTimeoutMs)
  const quietMs = before.quietMs + Math.min(now.atMs - before.sample.atMs, 2 * stallSampleMs(rules))
  const isActive =
    now.lastOutputMs > before.sample.lastOutputMs ||
    now.isExcused ||
    now.files !== before.sample.files ||
    hasWorked(before, now, quietMs, limitMs)
  if (isActive) return { detector: beginDetector(now), finding: undefined }
  const stall = { quietMs, limitMs, tool: now.tool }
  const detector = { ...before, sample: now, quietMs }
  if (stall.quietMs >= limitMs) return { detector, finding: { _tag: "stalled", ...stall } }
  return stall.quietMs >= limitMs / 2 && !before.isWarned
    ? { detector: { ...detector, isWarned: true }, finding: { _tag: "half", ...stall } }
    : { detector, finding: undefined }
}

const nothing = ({ quietMs, tool }: Stall): string =>
  `no output, no CPU time and no change of a watched file for ${humanDuration(quietMs)}${tool === undefined ? "" : ` while ${tool} runs`}`

/** Why a worker is restarted: `stalled: no output, no CPU time and no change of a watched file for 20 minutes`. */
export const stallReason = (stall: Stall): string => `stalled: ${nothing(stall)}`

/** The warning after half of the timeout. A worker that asks a question waits behind an unfinished line. */
export const describeHalf = (stall: Stall, unfinished?: string): string => {
  const line = unfinished === undefined ? "" : `. It may wait for an answer, its last line is: ${unfinished}`
  return `The worker may have stalled: ${nothing(stall)}. The daemon restarts it after ${humanDuration(stall.limitMs)}${line}`
}
