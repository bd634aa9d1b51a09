import * as Schema from "effect/Schema"
import { setting } from "./Setting.ts"

/** What may follow when a worker has ended. */
const VerdictAction = Schema.Literal("restart", "wait", "stop")
type VerdictAction = typeof VerdictAction.Type

const after = <const K extends string>(key: K, byDefault: VerdictAction, description: string) =>
  setting(key, VerdictAction, byDefault, { description, expects: '"restart", "wait" or "stop"' })

/**
 * The `[restart.on]` table: what follows each verdict on a worker's end. By default what a further start can heal is
 * started again, what passes with time is waited for, and what only a person can change, or costs money each time,
 * stops. `max_turns` is among the last: its author has set the bound, a new start would not go on where the last one was
 * cut off but begin anew, and agents that were restarted at their bound all night have cost hundreds of dollars.
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
