import type { VerdictSettings } from "../settings/VerdictSettings.ts"
import { humanDuration } from "../text/Amounts.ts"
import { adviceFor, describeVerdict, type Verdict, type VerdictKind } from "../verdict/ExitVerdict.ts"
import type { RestartPolicy } from "./RestartPolicy.ts"

/** What follows a worker's end. `because` is one sentence without a full stop. */
type FollowUp =
  /** With the backoff of the restart policy, as a failure, or without one if it was clean. */
  | { readonly _tag: "Restart" }
  /** Until a time in milliseconds since 1970. It is no failure. */
  | { readonly _tag: "Wait"; readonly untilMs: number; readonly because: string }
  /** Until a person acts. */
  | { readonly _tag: "Stop"; readonly because: string }

/** What decides: `[restart.on]`, and of a clean end `restart.policy`. */
interface VerdictRules {
  readonly policy: RestartPolicy["policy"]
  readonly on: VerdictSettings
}

/** Which setting is about which verdict. A clean end and what we have ended ourselves are decided elsewhere. */
const settingOf: Readonly<Record<Exclude<VerdictKind, "done" | "killed-by-us">, keyof VerdictSettings>> = {
  crash: "crash",
  "native-crash": "nativeCrash",
  "out-of-memory": "outOfMemory",
  "usage-limit": "usageLimit",
  overloaded: "overloaded",
  auth: "auth",
  "bad-arguments": "badArguments",
  "max-turns": "maxTurns",
  budget: "budget",
  stalled: "stalled",
  "killed-by-other": "killedByOther",
  "not-started": "notStarted"
}

const minuteMs = 60_000

/** The first wait where no time is known, and the longest. Each further one in a row is twice as long. */
const waits: Readonly<
  Record<"overloaded" | "other", { readonly firstMs: number; readonly longestMs: number }>
> = {
  overloaded: { firstMs: minuteMs, longestMs: 30 * minuteMs },
  other: { firstMs: 5 * minuteMs, longestMs: 60 * minuteMs }
}

/** A reset is told to the minute, with the seconds cut off, by another clock. */
const afterResetMs = minuteMs

/** How long to wait where nobody has said a time: `inARow` is 1 for the first of these ends. */
export const waitMs = (kind: VerdictKind, inARow: number): number => {
  const { firstMs, longestMs } = kind === "overloaded" ? waits.overloaded : waits.other
  return Math.min(longestMs, firstMs * 2 ** Math.max(0, inARow - 1))
}

/** A limit that is reached again right after its reset: each further start costs a session, so the wait grows anyway. */
const untilReset = (resetAtMs: number, nowMs: number, inARow: number): number =>
  Math.max(resetAtMs + afterResetMs, inARow > 1 ? nowMs + waitMs("usage-limit", inARow - 1) : nowMs)

const wait = (verdict: Verdict, nowMs: number, inARow: number): FollowUp => {
  const why = describeVerdict(verdict)
  if (verdict.kind === "usage-limit" && verdict.resetAtMs !== undefined)
    return { _tag: "Wait", untilMs: untilReset(verdict.resetAtMs, nowMs, inARow), because: why }
  const delayMs = waitMs(verdict.kind, inARow)
  const because = `${why}; nothing says until when, so it is tried again after ${humanDuration(delayMs)}`
  return { _tag: "Wait", untilMs: nowMs + delayMs, because }
}

const stop = (verdict: Verdict): FollowUp => {
  const advice = adviceFor(verdict)
  const why = describeVerdict(verdict)
  return { _tag: "Stop", because: advice === undefined ? why : `${why}. ${advice}` }
}

/**
 * What follows from a verdict: a restart, a wait or a stop, as the settings say. `inARow` counts the ends with this
 * verdict that have come one after the other, this one included.
 */
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
