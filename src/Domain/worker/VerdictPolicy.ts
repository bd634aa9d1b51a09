import type { VerdictSettings } from "../settings/RestartSettings.ts"
import { humanDuration } from "../text/Amounts.ts"
import { limitEndMs, overloadedWaitMs, waitMs } from "../verdict/CauseWait.ts"
import { adviceFor, describeVerdict, type Verdict, type VerdictKind } from "../verdict/ExitVerdict.ts"
import type { Places } from "../verdict/Places.ts"
import type { RestartPolicy } from "./RestartPolicy.ts"

/** The reaction to an exit. `because` is one sentence without a full stop. */
type FollowUp =
  /** After a backoff and as a failure, or at once after a clean exit. */
  | { readonly _tag: "Restart" }
  /** Until a time in milliseconds since 1970. Does not count as a failure. */
  | { readonly _tag: "Wait"; readonly untilMs: number; readonly because: string }
  /** Until a user acts. */
  | { readonly _tag: "Stop"; readonly because: string }

/** `[restart.on]`, and for a clean exit `restart.policy`. */
interface VerdictRules {
  readonly policy: RestartPolicy["policy"]
  readonly on: VerdictSettings
  readonly places?: Places | undefined
}

/** The setting for each verdict. `followUp` decides about a clean exit and a kill by the daemon. */
const settingOf: Readonly<Record<Exclude<VerdictKind, "done" | "killed-by-us">, keyof VerdictSettings>> = {
  crash: "crash",
  "native-crash": "nativeCrash",
  "out-of-memory": "outOfMemory",
  "usage-limit": "usageLimit",
  overloaded: "overloaded",
  auth: "auth",
  "bad-arguments": "badArguments",
  "context-full": "contextFull",
  "max-turns": "maxTurns",
  budget: "budget",
  stalled: "stalled",
  "killed-by-other": "killedByOther",
  "not-started": "notStarted"
}

/** What the exits before say about a wait. */
interface Past {
  readonly nowMs: number
  /** The exits in a row with this verdict, from 1. */
  readonly inARow: number
  /** The last success of the worker, or its start where it had none; in milliseconds since 1970. */
  readonly sinceMs: number
}

const wait = (verdict: Verdict, { inARow, nowMs, sinceMs }: Past): FollowUp => {
  const why = describeVerdict(verdict)
  if (verdict.kind === "usage-limit" && verdict.resetAtMs !== undefined)
    return { _tag: "Wait", untilMs: limitEndMs(verdict.resetAtMs, nowMs, inARow), because: why }
  const delayMs = verdict.kind === "overloaded" ? overloadedWaitMs(nowMs - sinceMs) : waitMs(inARow)
  const because = `${why}; the daemon tries again after ${humanDuration(delayMs)}`
  return { _tag: "Wait", untilMs: nowMs + delayMs, because }
}

const stop = (verdict: Verdict, places?: Places): FollowUp => {
  const advice = adviceFor(verdict, places)
  const why = describeVerdict(verdict)
  return { _tag: "Stop", because: advice === undefined ? why : `${why}. ${advice}` }
}

/** Chooses the reaction to a verdict by the settings. */
export const followUp = (verdict: Verdict, { on, places, policy }: VerdictRules, past: Past): FollowUp => {
  if (verdict.kind === "killed-by-us") return stop(verdict)
  if (verdict.kind === "done") return policy === "always" ? { _tag: "Restart" } : stop(verdict)
  switch (on[settingOf[verdict.kind]]) {
    case "restart":
      return { _tag: "Restart" }
    case "wait":
      return wait(verdict, past)
    case "stop":
      return stop(verdict, places)
  }
}
