import * as Schema from "effect/Schema"
import { humanDuration } from "./HumanDuration.ts"
import type { WorkerRules } from "./WorkerEvent.ts"
import type { Step } from "./WorkerTransition.ts"
import { initial, nextStartMs, Phase, type WorkerState } from "./WorkerState.ts"

/**
 * What of a project outlives the daemon, in `state/<project>.json`: a crash, an upgrade or a reboot of the daemon
 * clears none of it. It is written before a change takes effect.
 */
export const Survivor = Schema.Struct({
  version: Schema.Literal(1),
  /** `auto`: nobody has said anything yet, so that the settings' autostart decides. */
  wanted: Schema.Literal("up", "down", "auto"),
  failures: Schema.NonNegativeInt,
  /** Why it is in `failed`; null when it is not. */
  failed: Schema.NullOr(Schema.String),
  /** A backoff, or a hold for another reason: when it ends (milliseconds since 1970) and why it is there. */
  wait: Schema.NullOr(
    Schema.Struct({
      kind: Schema.Literal("backoff", "hold"),
      untilMs: Schema.Number,
      because: Schema.String
    })
  ),
  /** The id of the worker that may be running; its tree carries it in the environment. */
  workerId: Schema.NullOr(Schema.String)
})
export type Survivor = typeof Survivor.Type

/** The part of a worker's state that survives. */
export const survivorOf = (state: WorkerState, workerId: string | null): Survivor => {
  const { phase } = state
  const untilMs = phase._tag === "Waiting" && phase.isReleasable ? undefined : nextStartMs(state)
  return {
    version: 1,
    wanted: state.wanted,
    failures: state.failures,
    failed: phase._tag === "Failed" ? phase.because : null,
    wait:
      (phase._tag === "Restarting" || phase._tag === "Waiting") && untilMs !== undefined
        ? { kind: phase._tag === "Restarting" ? "backoff" : "hold", untilMs, because: phase.because }
        : null,
    workerId
  }
}

/** What a project begins with that has no past, or whose past a person has cleared. */
export const blank: Survivor = {
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
export const whatIsCleared = (survivor: Survivor, isStarted = true): string | undefined => {
  const parts = [
    ...(survivor.failed === null ? [] : [`the failed state (${survivor.failed})`]),
    ...(survivor.wait === null ? [] : [`a wait (${survivor.wait.because})`]),
    ...(survivor.failures > 0 && survivor.failed === null ? [failures(survivor.failures)] : []),
    ...(survivor.wanted === "down" && isStarted ? ["the worker's being stopped"] : [])
  ]
  return parts.length === 0 ? undefined : parts.join(", ")
}

/**
 * Takes up where the last daemon ended (`start --keep-state`): failed stays failed, stopped stays stopped, a wait
 * goes on until its time, and everything else starts with the failures it had. No backoff lasts longer than its
 * maximum, whatever happened to the clock. `autostart` decides where nobody has said anything yet.
 */
export const resume = (rules: WorkerRules, survivor: Survivor, nowMs: number, autostart = true): Step => {
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
  if (survivor.wait !== null && survivor.wait.untilMs > nowMs) {
    const { kind, because } = survivor.wait
    const untilMs =
      kind === "hold"
        ? survivor.wait.untilMs
        : Math.min(survivor.wait.untilMs, nowMs + rules.restart.maxBackoffMs)
    const phase =
      kind === "hold"
        ? Phase.Waiting({ epoch, untilMs, because, again: true, isReleasable: false })
        : Phase.Restarting({ epoch, dueMs: untilMs, because })
    const due = `the next start is in ${humanDuration(untilMs - nowMs)}`
    return [
      { ...state, phase },
      [
        { _tag: "WaitUntil", epoch, untilMs },
        kept(kind === "hold" ? due : `${failures(survivor.failures)}, ${due}`)
      ]
    ]
  }
  return [
    { ...state, wanted: "up", phase: Phase.Starting({ epoch, again: false, remains: [] }) },
    [...(survivor.failures > 0 ? [kept(failures(survivor.failures))] : []), { _tag: "Spawn", epoch }]
  ]
}
