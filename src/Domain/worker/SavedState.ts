import * as Schema from "effect/Schema"
import { humanDuration } from "../text/Amounts.ts"
import type { WorkerRules } from "./WorkerEvent.ts"
import { heldForMemory, initial, nextStartMs, Phase, type WorkerState } from "./WorkerState.ts"
import type { Step } from "./WorkerTransition.ts"

/**
 * What of a project outlives the daemon, in `state/<project>.json`: a crash, an upgrade or a reboot of the daemon
 * clears none of it. It is written before a change takes effect.
 */
export const SavedState = Schema.Struct({
  version: Schema.Literal(1),
  /** `auto`: nobody has said anything yet, so that the settings' autostart decides. */
  wanted: Schema.Literal("up", "down", "auto"),
  failures: Schema.NonNegativeInt,
  /** Why it is in `failed`; null when it is not. */
  failed: Schema.NullOr(Schema.String),
  /**
   * A backoff, a hold until a time of day, or one until there is enough memory: when it ends, or when less memory is
   * enough (milliseconds since 1970), and why it is there.
   */
  wait: Schema.NullOr(
    Schema.Struct({
      kind: Schema.Literal("backoff", "hold", "memory"),
      untilMs: Schema.Number,
      because: Schema.String
    })
  ),
  /** The id of the worker that may be running; its tree carries it in the environment. */
  workerId: Schema.NullOr(Schema.String)
})
export type SavedState = typeof SavedState.Type

/** Of a start that was on its way nothing survives: it comes at once. Nor does what waits for another worker's end. */
const waitOf = (state: WorkerState): SavedState["wait"] => {
  const held = heldForMemory(state)
  if (held !== undefined) return { kind: "memory", untilMs: held.untilMs, because: held.because }
  const { phase } = state
  const untilMs = nextStartMs(state)
  if (untilMs === undefined) return null
  if (phase._tag === "Restarting") return { kind: "backoff", untilMs, because: phase.because }
  return phase._tag === "Waiting" && phase.awaits === "time"
    ? { kind: "hold", untilMs, because: phase.because }
    : null
}

/** The part of a worker's state that survives. */
export const survivorOf = (state: WorkerState, workerId: string | null): SavedState => {
  const { phase } = state
  return {
    version: 1,
    wanted: state.wanted,
    failures: state.failures,
    failed: phase._tag === "Failed" ? phase.because : null,
    wait: waitOf(state),
    workerId
  }
}

/** What a project begins with that has no past, or whose past a person has cleared. */
export const blank: SavedState = {
  version: 1,
  wanted: "auto",
  failures: 0,
  failed: null,
  wait: null,
  workerId: null
}

const failures = (count: number): string => `${count} failure${count === 1 ? "" : "s"} in a row`

/**
 * What a start by a person clears, as a list for one sentence; undefined when there was nothing. A worker that was
 * stopped is as it was where it is not started.
 */
export const whatIsCleared = (survivor: SavedState, isStarted = true): string | undefined => {
  const parts = [
    ...(survivor.failed === null ? [] : [`the failed state (${survivor.failed})`]),
    ...(survivor.wait === null ? [] : [`a wait (${survivor.wait.because})`]),
    ...(survivor.failures > 0 && survivor.failed === null ? [failures(survivor.failures)] : []),
    ...(survivor.wanted === "down" && isStarted ? ["the worker's being stopped"] : [])
  ]
  return parts.length === 0 ? undefined : parts.join(", ")
}

interface KeptWait {
  readonly phase: Phase
  /** Whether the phase ends at a time of day. */
  readonly untilMs: number | undefined
  readonly what: string
}

/** The wait that goes on; undefined when there is none, or when it is over. */
const keptWait = (
  { restart }: WorkerRules,
  { failures: count, wait }: SavedState,
  nowMs: number,
  epoch: number
): KeptWait | undefined => {
  if (wait === null) return undefined
  const { because, kind } = wait
  if (kind === "memory") {
    const phase = Phase.Waiting({ epoch, untilMs: wait.untilMs, because, again: true, awaits: "memory" })
    return { phase, untilMs: undefined, what: `it waits for memory (${because})` }
  }
  if (wait.untilMs <= nowMs) return undefined
  // No backoff lasts longer than its maximum, whatever happened to the clock.
  const untilMs = kind === "hold" ? wait.untilMs : Math.min(wait.untilMs, nowMs + restart.maxBackoffMs)
  const due = `the next start is in ${humanDuration(untilMs - nowMs)}`
  return kind === "hold"
    ? { phase: Phase.Waiting({ epoch, untilMs, because, again: true, awaits: "time" }), untilMs, what: due }
    : {
        phase: Phase.Restarting({ epoch, dueMs: untilMs, because }),
        untilMs,
        what: `${failures(count)}, ${due}`
      }
}

/**
 * Takes up where the last daemon ended (`start --keep-state`): failed stays failed, stopped stays stopped, a wait
 * goes on until its time, and everything else starts with the failures it had. `autostart` decides where nobody has said anything yet.
 */
export const resume = (rules: WorkerRules, survivor: SavedState, nowMs: number, autostart = true): Step => {
  const epoch = initial.epoch + 1
  const { wanted } = survivor
  const state = { ...initial, epoch, wanted, failures: survivor.failures }
  const kept = (what: string) =>
    ({ _tag: "Publish", event: { _tag: "StateKept", project: rules.project, what } }) as const
  if (survivor.failed !== null) {
    const { recoveryCooldownMs } = rules.restart
    return [
      { ...state, phase: Phase.Failed({ epoch, because: survivor.failed }) },
      [
        kept(`failed: ${survivor.failed}`),
        ...(recoveryCooldownMs === false
          ? []
          : [{ _tag: "CoolDown", epoch, forMs: recoveryCooldownMs } as const])
      ]
    ]
  }
  if (wanted === "auto" && !autostart) {
    const because = "autostart is off for it, and nobody has started it"
    return [{ ...state, phase: Phase.Stopped({ because }) }, []]
  }
  if (wanted === "down") {
    const because = "it was stopped before"
    return [{ ...state, phase: Phase.Stopped({ because }) }, [kept("stopped")]]
  }
  const wait = keptWait(rules, survivor, nowMs, epoch)
  if (wait !== undefined) {
    const { phase, untilMs, what } = wait
    const timer = untilMs === undefined ? [] : [{ _tag: "WaitUntil", epoch, untilMs } as const]
    return [{ ...state, phase }, [...timer, kept(what)]]
  }
  return [
    { ...state, wanted: "up", phase: Phase.Starting({ epoch, again: false, remains: [] }) },
    [...(survivor.failures > 0 ? [kept(failures(survivor.failures))] : []), { _tag: "Spawn", epoch }]
  ]
}
