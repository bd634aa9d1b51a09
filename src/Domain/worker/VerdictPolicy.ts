import type { VerdictSettings } from "../settings/RestartSettings.ts"
import { humanDuration } from "../text/Amounts.ts"
import { adviceFor, describeVerdict, type Verdict, type VerdictKind } from "../verdict/ExitVerdict.ts"
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

const minuteMs = 60_000

/** The waits where no time is known: each further one in a row is twice as long. */
const waits: Readonly<
  Record<"overloaded" | "other", { readonly firstMs: number; readonly longestMs: number }>
> = {
  overloaded: { firstMs: minuteMs, longestMs: 30 * minuteMs },
  other: { firstMs: 5 * minuteMs, longestMs: 60 * minuteMs }
}

/** Messages name a reset to the minute, seconds cut off, by another clock. */
const afterResetMs = minuteMs

/** The wait where no time is known. `inARow` counts the exits with this verdict, from 1. */
export const waitMs = (kind: VerdictKind, inARow: number): number => {
  const { firstMs, longestMs } = kind === "overloaded" ? waits.overloaded : waits.other
  return Math.min(longestMs, firstMs * 2 ** Math.max(0, inARow - 1))
}

/** A limit may be reached again right after its reset. Each start costs a session, so the wait grows even then. */
const untilReset = (resetAtMs: number, nowMs: number, inARow: number): number =>
  Math.max(resetAtMs + afterResetMs, inARow > 1 ? nowMs + waitMs("usage-limit", inARow - 1) : nowMs)

const wait = (verdict: Verdict, nowMs: number, inARow: number): FollowUp => {
  const why = describeVerdict(verdict)
  if (verdict.kind === "usage-limit" && verdict.resetAtMs !== undefined)
    return { _tag: "Wait", untilMs: untilReset(verdict.resetAtMs, nowMs, inARow), because: why }
  const delayMs = waitMs(verdict.kind, inARow)
  const because = `${why}; the daemon tries again after ${humanDuration(delayMs)}`
  return { _tag: "Wait", untilMs: nowMs + delayMs, because }
}

const stop = (verdict: Verdict): FollowUp => {
  const advice = adviceFor(verdict)
  const why = describeVerdict(verdict)
  return { _tag: "Stop", because: advice === undefined ? why : `${why}. ${advice}` }
}

/** Chooses the reaction to a verdict by the settings. `inARow` counts the exits in a row with this verdict, from 1. */
export const followUp = (
  verdict: Verdict,
  { on, policy }: VerdictRules,
  { inARow, nowMs }: { readonly nowMs: number; readonly inARow: number }
): FollowUp => {
  if (verdict.kind === "killed-by-us") return stop(verdict)
  if (verdict.kind === "done") return policy === "always" ? { _tag: "Restart" } : stop(verdict)
  switch (on[settingOf[verdict.kind]]) {
    case "restart":
      return { _tag: "Restart" }
    case "wait":
      return wait(verdict, nowMs, inARow)
    case "stop":
      return stop(verdict)
  }
}
