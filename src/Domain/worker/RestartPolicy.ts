import * as Duration from "effect/Duration"
import * as Schedule from "effect/Schedule"
import type { VerdictSettings } from "../settings/VerdictSettings.ts"

/** When and how often a worker is started again. It is the `[restart]` table of the settings, decoded. */
export interface RestartPolicy {
  /** `on-failure`: a clean exit means the work is finished. `always`: it is started again. */
  readonly policy: "on-failure" | "always"
  readonly initialBackoffMs: number
  readonly maxBackoffMs: number
  readonly backoffMultiplier: number
  /** By how much a delay may vary: 0.25 is 25 % in either direction. */
  readonly jitter: number
  /** A worker that has run this long counts as healthy: the failures before it are forgotten. */
  readonly successThresholdMs: number
  /** This many failures in a row end in `failed`. */
  readonly maxConsecutiveRestarts: number
  /** After this long in `failed` the worker is tried again by itself; `false`: only by a person. */
  readonly recoveryCooldownMs: number | false
  /** What follows which verdict on a worker's end. */
  readonly on: VerdictSettings
}

/** The delay after `failuresBefore` + 1 failures in a row, in milliseconds, before jitter. */
export const delayMs = (policy: RestartPolicy, failuresBefore: number): number =>
  policy.initialBackoffMs === 0
    ? 0
    : Math.min(policy.initialBackoffMs * policy.backoffMultiplier ** failuresBefore, policy.maxBackoffMs)

/**
 * The delays before the restarts that follow `failuresBefore` failures in a row: by default 1 2 4 8 ... 256 300 300
 * seconds. The schedule's output is the delay it asks for, so nobody computes that number a second time.
 *
 * `Schedule.resetAfter` is not used: it measures from the last step, the delay included, so that a worker which
 * crashes at once would never get past its sixth delay. The automaton's failure count is the only counter, and a
 * schedule that begins after `failuresBefore` failures is how it drives this one.
 */
export const schedule = (policy: RestartPolicy, failuresBefore = 0): Schedule.Schedule<Duration.Duration> =>
  Schedule.exponential(Duration.millis(delayMs(policy, failuresBefore)), policy.backoffMultiplier).pipe(
    Schedule.jitteredWith({ min: 1 - policy.jitter, max: 1 + policy.jitter }),
    // Last, so that neither growth nor jitter gets past the maximum.
    Schedule.modifyDelay((_, delay) => Duration.min(delay, Duration.millis(policy.maxBackoffMs))),
    Schedule.delays
  )
