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
  crash: after(
    "crash",
    "restart",
    "What follows when the worker ends with an error that is none of the others."
  ),
  nativeCrash: after("native_crash", "restart", "What follows a fault of compiled code, such as SIGSEGV."),
  outOfMemory: after(
    "out_of_memory",
    "restart",
    "What follows when the kernel kills it, or its heap is full."
  ),
  usageLimit: after(
    "usage_limit",
    "wait",
    "What follows when the usage limit of the agent's plan is reached."
  ),
  overloaded: after(
    "overloaded",
    "wait",
    "What follows when the API is overloaded, fails or cannot be reached."
  ),
  auth: after("auth", "stop", "What follows when the agent is not logged in, or its key is refused."),
  badArguments: after(
    "bad_arguments",
    "stop",
    "What follows when the agent refuses its arguments or its model."
  ),
  contextFull: after(
    "context_full",
    "stop",
    "What follows when the conversation exceeds the context of the agent's model."
  ),
  maxTurns: after("max_turns", "stop", "What follows when the agent has used up its turns."),
  budget: after(
    "budget",
    "stop",
    "What follows when the agent has used up its budget, or the account its credit."
  ),
  stalled: after("stalled", "restart", "What follows when it was ended because it did nothing any more."),
  killedByOther: after("killed_by_other", "restart", "What follows when somebody else has killed it."),
  notStarted: after("not_started", "restart", "What follows when it cannot be started.")
})
export type VerdictSettings = typeof VerdictSettings.Type
