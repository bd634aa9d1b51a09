import * as Schema from "effect/Schema"
import {
  IntervalMs,
  intervalExpected,
  Milliseconds,
  millisecondsExpected,
  orOff,
  setting,
  Text,
  table
} from "./Setting.ts"
import { VerdictSettings } from "./VerdictSettings.ts"

const orFalse = `${millisecondsExpected}, or false`

/** The `[restart]` table: when a worker is started again, how often, and how it is ended. */
export const RestartSettings = Schema.Struct({
  initialBackoffMs: setting("initial_backoff_ms", Milliseconds, 1000, {
    description: "The wait before the first restart after a failure.",
    expects: millisecondsExpected
  }),
  maxBackoffMs: setting("max_backoff_ms", Milliseconds, 300_000, {
    description: "The longest wait before a restart.",
    expects: millisecondsExpected
  }),
  backoffMultiplier: setting("backoff_multiplier", Schema.Finite.pipe(Schema.greaterThanOrEqualTo(1)), 2, {
    description: "Each further failure in a row multiplies the wait by this.",
    expects: "a number, at least 1"
  }),
  successThresholdMs: setting("success_threshold_ms", Milliseconds, 60_000, {
    description: "A worker that has run this long is healthy: earlier failures are forgotten.",
    expects: millisecondsExpected
  }),
  maxConsecutiveRestarts: setting("max_consecutive_restarts", Schema.Int.pipe(Schema.positive()), 10, {
    description: "This many failures in a row, and the worker stays down until a person acts.",
    expects: "a whole number, at least 1"
  }),
  policy: setting("policy", Schema.Literal("on-failure", "always"), "on-failure", {
    description: "After a clean exit the work is finished (on-failure), or the worker starts again (always).",
    expects: '"on-failure" or "always"'
  }),
  jitter: setting("jitter", Schema.Number.pipe(Schema.between(0, 1)), 0, {
    description: "By how much a wait may vary: 0.25 is 25 % in either direction.",
    expects: "a number from 0 to 1"
  }),
  stopGraceMs: setting("stop_grace_ms", Milliseconds, 10_000, {
    description: "How long a worker may take to end after SIGTERM before it is killed.",
    expects: millisecondsExpected
  }),
  stallTimeoutMs: setting("stall_timeout_ms", orOff(IntervalMs), false, {
    description: "A worker without output, CPU time or a change of stall_files for this long has stalled.",
    expects: `${intervalExpected}, or false`
  }),
  toolTimeoutMs: setting("tool_timeout_ms", IntervalMs, 3_600_000, {
    description: "While a tool runs that an agent has called, it has stalled only after this long.",
    expects: intervalExpected
  }),
  stallFiles: setting("stall_files", Schema.Array(Text), [], {
    description: "Files and folders whose change shows that the worker is at work; from working_dir.",
    expects: "an array of paths"
  }),
  recoveryCooldownMs: setting("recovery_cooldown_ms", orOff(Milliseconds), false, {
    description: "A worker that was given up is tried again after this long.",
    expects: orFalse
  }),
  on: table("on", VerdictSettings)
})
export type RestartSettings = typeof RestartSettings.Type
