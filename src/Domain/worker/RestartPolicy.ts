import * as Duration from "effect/Duration"
import * as Schedule from "effect/Schedule"
import type { VerdictSettings } from "../settings/RestartSettings.ts"

/** The decoded `[restart]` table of the settings. */
export interface RestartPolicy {
  /** `on-failure`: a clean exit finishes the work. `always`: a clean exit restarts the worker. */
  readonly policy: "on-failure" | "always"
  readonly initialBackoffMs: number
  readonly maxBackoffMs: number
  readonly backoffMultiplier: number
  /** The random variation of a delay: 0.25 is 25 % in either direction. */
  readonly jitter: number
  /** A run of this length clears the failure count. */
  readonly successThresholdMs: number
  /** The number of failures in a row that leads to `failed`. */
  readonly maxConsecutiveRestarts: number
  /** The time in `failed` before the daemon tries again; `false`: only a user starts the worker. */
  readonly recoveryCooldownMs: number | false
  /** The reaction to an agent that makes no progress. */
  readonly onNoProgress: "tell" | "stop"
  /** The reaction to each verdict. */
  readonly on: VerdictSettings
}

/** The delay after `failuresBefore` + 1 failures in a row, in milliseconds, before jitter. */
export const delayMs = (policy: RestartPolicy, failuresBefore: number): number =>
  policy.initialBackoffMs === 0
    ? 0
    : Math.min(policy.initialBackoffMs * policy.backoffMultiplier ** failuresBefore, policy.maxBackoffMs)

/**
 * The delays before the restarts after `failuresBefore` failures in a row: by default 1 2 4 8 ... 256 300 300 seconds.
 * The output of the schedule is its delay. The failure count of the automaton is the only counter:
 * `Schedule.resetAfter` would measure from the last step, delay included, so a worker that crashes at once would never
 * get past its sixth delay.
 */
export const schedule = (policy: RestartPolicy, failuresBefore = 0): Schedule.Schedule<Duration.Duration> =>
  Schedule.exponential(Duration.millis(delayMs(policy, failuresBefore)), policy.backoffMultiplier).pipe(
    Schedule.jitteredWith({ min: 1 - policy.jitter, max: 1 + policy.jitter }),
    // Last, so neither growth nor jitter exceeds the maximum.
    Schedule.modifyDelay((_, delay) => Duration.min(delay, Duration.millis(policy.maxBackoffMs))),
    Schedule.delays
  )
