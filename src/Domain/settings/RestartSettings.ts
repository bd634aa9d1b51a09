import * as Schema from "effect/Schema"
import {
  IntervalMs,
  intervalExpected,
  Milliseconds,
  millisecondsExpected,
  optionalSetting,
  orOff,
  setting,
  Text,
  table
} from "./Setting.ts"

const VerdictAction = Schema.Literal("restart", "wait", "stop")
type VerdictAction = typeof VerdictAction.Type

const after = <const K extends string>(key: K, byDefault: VerdictAction, description: string) =>
  setting(key, VerdictAction, byDefault, { description, expects: '"restart", "wait" or "stop"' })

/**
 * The `[restart.on]` table: the action after each verdict. The defaults restart after what another run can overcome, wait
 * for what passes with time, and stop where the user must act or every run costs money. `max_turns` stops because a new
 * run starts over instead of continuing: agents restarted at their limit all night have cost hundreds of dollars.
 */
export const VerdictSettings = Schema.Struct({
  crash: after("crash", "restart", "Action after an exit with an error that no other verdict covers."),
  nativeCrash: after("native_crash", "restart", "Action after a fault in compiled code, such as SIGSEGV."),
  outOfMemory: after(
    "out_of_memory",
    "restart",
    "Action after the kernel killed the worker for lack of memory, or its heap was full."
  ),
  usageLimit: after("usage_limit", "wait", "Action after the agent reached the usage limit of its plan."),
  overloaded: after("overloaded", "wait", "Action after the API was overloaded, failed or was unreachable."),
  auth: after("auth", "stop", "Action after the agent was not logged in, or its key was rejected."),
  badArguments: after("bad_arguments", "stop", "Action after the agent rejected its arguments or its model."),
  contextFull: after(
    "context_full",
    "stop",
    "Action after the conversation exceeded the context of the agent's model."
  ),
  maxTurns: after("max_turns", "stop", "Action after the agent used up its turns."),
  budget: after("budget", "stop", "Action after the agent used up its budget, or the account its credit."),
  stalled: after("stalled", "restart", "Action after the daemon killed a stalled worker."),
  killedByOther: after("killed_by_other", "restart", "Action after another process killed the worker."),
  notStarted: after("not_started", "restart", "Action after the worker could not be started.")
})
export type VerdictSettings = typeof VerdictSettings.Type

const orFalse = `${millisecondsExpected}, or false`

/** The `[restart]` table: when and how often a worker is restarted, and how it is stopped. */
export const RestartSettings = Schema.Struct({
  initialBackoffMs: setting("initial_backoff_ms", Milliseconds, 1000, {
    description: "Delay before the first restart after a failure.",
    expects: millisecondsExpected
  }),
  maxBackoffMs: setting("max_backoff_ms", Milliseconds, 300_000, {
    description: "Longest delay before a restart.",
    expects: millisecondsExpected
  }),
  backoffMultiplier: setting("backoff_multiplier", Schema.Finite.pipe(Schema.greaterThanOrEqualTo(1)), 2, {
    description: "Factor by which each further failure in a row multiplies the delay.",
    expects: "a number, at least 1"
  }),
  successThresholdMs: setting("success_threshold_ms", Milliseconds, 60_000, {
    description: "Run time after which a worker counts as healthy and the daemon resets its failure count.",
    expects: millisecondsExpected
  }),
  maxConsecutiveRestarts: setting("max_consecutive_restarts", Schema.Int.pipe(Schema.positive()), 10, {
    description:
      "Number of failures in a row after which a worker is failed and stays down until the user starts it.",
    expects: "a whole number, at least 1"
  }),
  maxRestartsWithoutAnswer: setting("max_restarts_without_answer", Schema.Int.pipe(Schema.positive()), 5, {
    description:
      "Number of runs in a row without a finished answer after which the worker of a known agent is failed, however long they lasted.",
    expects: "a whole number, at least 1"
  }),
  onNoProgress: setting("on_no_progress", Schema.Literal("tell", "stop"), "tell", {
    description:
      "When an agent makes no progress (the same call with the same result ten times, the same answer five times, each request refused): tell it once, or stop the worker too, which is failed then.",
    expects: '"tell" or "stop"'
  }),
  policy: setting("policy", Schema.Literal("on-failure", "always"), "on-failure", {
    description: "After a clean exit, leave the worker stopped (on-failure) or start it again (always).",
    expects: '"on-failure" or "always"'
  }),
  jitter: setting("jitter", Schema.Number.pipe(Schema.between(0, 1)), 0, {
    description: "Random variation of the delay: 0.25 is up to 25 % in either direction.",
    expects: "a number from 0 to 1"
  }),
  stopGraceMs: setting("stop_grace_ms", Milliseconds, 10_000, {
    description: "Grace period between SIGTERM and SIGKILL when the daemon stops a worker.",
    expects: millisecondsExpected
  }),
  stallTimeoutMs: optionalSetting("stall_timeout_ms", orOff(IntervalMs), {
    description:
      "Time without output, CPU time or a change of stall_files after which a worker has stalled; false means never.",
    expects: `${intervalExpected}, or false`,
    unset: "1800000 (30 minutes) for an agent whose stream the daemon knows, never for other workers"
  }),
  toolTimeoutMs: setting("tool_timeout_ms", IntervalMs, 3_600_000, {
    description: "Stall timeout while the agent runs a tool.",
    expects: intervalExpected
  }),
  stallFiles: setting("stall_files", Schema.Array(Text), [], {
    description: "Files and folders whose changes count as activity, relative to working_dir.",
    expects: "an array of paths"
  }),
  recoveryCooldownMs: setting("recovery_cooldown_ms", orOff(Milliseconds), false, {
    description: "Time after which the daemon starts a failed worker again; false means never.",
    expects: orFalse
  }),
  on: table(
    "on",
    VerdictSettings,
    "Action after each verdict on the exit of a worker: restart after the backoff, wait for the cause to pass, or stop."
  )
})
export type RestartSettings = typeof RestartSettings.Type
