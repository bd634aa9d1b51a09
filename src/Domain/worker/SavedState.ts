import * as Schema from "effect/Schema"
import { resetAhead } from "../agent/UsageLimitReset.ts"
import { maxPid } from "../machine/ProcessEntry.ts"
import { AgentRun } from "../session/AgentRun.ts"
import { isBelievableWork, noWork, WorkRecord, withFreshChances } from "../session/WorkRecord.ts"
import { humanDuration } from "../text/Amounts.ts"
import { TreeTrace } from "../tree/TreeTrace.ts"
import { perhaps } from "../Wire.ts"
import type { WorkerRules } from "./WorkerEvent.ts"
import {
  heldForMemory,
  initial,
  isFinished,
  LastEnd,
  nextStartMs,
  Phase,
  stoppedForLogin,
  type WorkerState
} from "./WorkerState.ts"
import type { Step } from "./WorkerTransition.ts"

/** The state of a project that outlives the daemon, in `state/<project>.json`. The daemon writes it before a change takes effect. */
export const SavedState = Schema.Struct({
  version: Schema.Literal(1),
  /** The last command of a user; `auto` before the first one: autostart decides. */
  wanted: Schema.Literal("up", "down", "auto"),
  failures: Schema.NonNegativeInt,
  /** The reason of `failed`; null in other states. */
  failed: Schema.NullOr(Schema.String),
  /** Why it is stopped and stays so: its work is finished, or a user has stopped it. Absent in files of 0.1.0. */
  stopped: Schema.optionalWith(Schema.String, { exact: true }),
  /** The worker is stopped because its work is finished. */
  finished: perhaps(Schema.Literal(true)),
  /** A backoff, a hold until a time of day, or a hold until `untilMs` (since 1970) or earlier with enough memory. */
  wait: Schema.NullOr(
    Schema.Struct({
      kind: Schema.Literal("backoff", "hold", "memory"),
      untilMs: Schema.Number,
      because: Schema.String,
      /** A hold for the usage limit of its login, which may end earlier. */
      awaits: perhaps(Schema.Literal("login"))
    })
  ),
  /** The time of the stop of a worker that has failed because it needs a login. */
  loginNeededMs: perhaps(Schema.Number),
  /** The id of the worker that may be running; its processes carry it in their environment. */
  workerId: Schema.NullOr(Schema.String),
  /** The leader of that worker, or its processes that could not be killed. Absent before its start and after its end. */
  tree: perhaps(TreeTrace),
  /** The work of its agent. Absent before the first run of an agent. */
  work: perhaps(WorkRecord),
  /** The last run of its agent that has ended. */
  agent: perhaps(AgentRun),
  /** The end of the last run. Absent in files of 0.1.0. */
  lastEnd: perhaps(LastEnd),
  /** The beginning of the state, in milliseconds since 1970. Absent in files of 0.1.0. */
  sinceMs: perhaps(Schema.Number)
})
export type SavedState = typeof SavedState.Type

/** The end of the year 9999: nothing can be shown of a later time. */
const lastMs = Date.UTC(10_000, 0) - 1

const mostFailures = 1_000_000
const mostProcesses = 10_000
const longestAgent = 4000

/** Whether a daemon may have written these values. A file of the right form can hold others, which nothing could show. */
export const isBelievable = ({
  agent,
  failures: count,
  sinceMs = 0,
  tree,
  wait,
  work
}: SavedState): boolean =>
  count <= mostFailures &&
  (agent === undefined || JSON.stringify(agent).length <= longestAgent) &&
  (work === undefined || isBelievableWork(work)) &&
  (wait === null || (wait.untilMs >= 0 && wait.untilMs <= lastMs)) &&
  sinceMs >= 0 &&
  sinceMs <= lastMs &&
  (tree === undefined ||
    (tree.processes.length <= mostProcesses &&
      tree.processes.every(({ pid, startTicks }) => pid > 1 && pid <= maxPid && startTicks >= 0)))

/** A start in progress and a hold for another worker or its answer are not saved: the next daemon starts the worker at once. */
const waitOf = (state: WorkerState): SavedState["wait"] => {
  const held = heldForMemory(state)
  if (held !== undefined) return { kind: "memory", untilMs: held.untilMs, because: held.because }
  const { phase } = state
  const untilMs = nextStartMs(state)
  if (untilMs === undefined) return null
  if (phase._tag === "Restarting") return { kind: "backoff", untilMs, because: phase.because }
  if (phase._tag !== "Waiting" || phase.awaits === "worker") return null
  const { because } = phase
  return { kind: "hold", untilMs, because, ...(phase.awaits === "login" && { awaits: "login" }) }
}

/** What the daemon saves of a state; `before` is what it has saved before. */
export const savedStateOf = (
  state: WorkerState,
  workerId: string | null,
  tree?: TreeTrace | undefined,
  before?: SavedState,
  sinceMs?: number
): SavedState => {
  const { phase } = state
  const found = {
    ...(tree && { tree }),
    ...(state.work === noWork ? {} : { work: state.work }),
    ...(state.lastAgent && { agent: state.lastAgent }),
    ...(state.lastEnd && { lastEnd: state.lastEnd })
  }
  if (state.leaving !== undefined && before !== undefined) {
    // A shutdown or a removed project does not change the wish of the user.
    const { agent: _, tree: __, work: ___, lastEnd: ____, ...wish } = before
    return { ...wish, ...found }
  }
  const loginNeededMs = stoppedForLogin(state)
  return {
    version: 1,
    wanted: state.wanted,
    failures: state.failures,
    failed: phase._tag === "Failed" ? phase.because : null,
    ...(loginNeededMs === undefined ? {} : { loginNeededMs }),
    ...(phase._tag === "Stopped" && state.wanted === "down" ? { stopped: phase.because } : {}),
    ...(isFinished(state) && { finished: true as const }),
    wait: waitOf(state),
    workerId,
    ...found,
    ...(sinceMs === undefined ? {} : { sinceMs })
  }
}

/** The beginning of a state that is kept from an earlier daemon; now for any other. */
export const keptSinceMs = ({ phase }: WorkerState, before: SavedState | undefined, nowMs: number): number =>
  ["Failed", "Stopped", "Waiting", "Restarting"].includes(phase._tag)
    ? Math.round(Math.min(before?.sinceMs ?? nowMs, nowMs))
    : nowMs

/** The state before the first start, and after a start by a user has cleared it. */
export const emptyState: SavedState = {
  version: 1,
  wanted: "auto",
  failures: 0,
  failed: null,
  wait: null,
  workerId: null
}

/** The state from which a start by a user begins: what has failed is cleared, the work of the agent goes on. */
export const afresh = (before: SavedState | undefined): SavedState => ({
  ...emptyState,
  ...(before?.work && { work: withFreshChances(before.work) }),
  ...(before?.agent && { agent: before.agent }),
  ...(before?.lastEnd && { lastEnd: before.lastEnd })
})

const failures = (count: number): string => `${count} failure${count === 1 ? "" : "s"} in a row`

const stopOf = ({ stopped }: SavedState): string =>
  stopped === undefined ? "its stop by a user" : `its stop (${stopped})`

/**
 * Lists the parts of a saved state that a start of the daemon by a user clears; undefined when there are none. A
 * stopped worker that does not start stays stopped.
 */
export const clearedParts = (saved: SavedState, isStarted = true): string | undefined => {
  const parts = [
    ...(saved.failed === null ? [] : [`the failed state (${saved.failed})`]),
    ...(saved.wait === null ? [] : [`a wait (${saved.wait.because})`]),
    ...(saved.failures > 0 && saved.failed === null ? [failures(saved.failures)] : []),
    ...(saved.wanted === "down" && isStarted ? [stopOf(saved)] : [])
  ]
  return parts.length === 0 ? undefined : parts.join(", ")
}

interface KeptWait {
  readonly phase: Phase
  /** Set for a phase that ends at a time of day. */
  readonly untilMs: number | undefined
  readonly what: string
}

/** The rest of a saved wait; undefined when there is none. */
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
  // No usage limit lasts longer: the time was misread, or saved under a wrong clock.
  if (kind === "hold" && resetAhead(wait.untilMs, nowMs) === undefined) return undefined
  // The clock may have changed: no backoff lasts longer than its maximum.
  const untilMs = kind === "hold" ? wait.untilMs : Math.min(wait.untilMs, nowMs + restart.maxBackoffMs)
  const due = `the next start is in ${humanDuration(untilMs - nowMs)}`
  return kind === "hold"
    ? {
        phase: Phase.Waiting({ epoch, untilMs, because, again: true, awaits: wait.awaits ?? "time" }),
        untilMs,
        what: due
      }
    : {
        phase: Phase.Restarting({ epoch, dueMs: untilMs, because }),
        untilMs,
        what: `${failures(count)}, ${due}`
      }
}

/**
 * Resumes a saved state (`start --keep-state`): failed stays failed, stopped stays stopped, a wait lasts until its
 * time, and every other worker starts with its failure count. `autostart` decides before the first command of a user.
 */
export const resume = (rules: WorkerRules, saved: SavedState, nowMs: number, autostart = true): Step => {
  const epoch = initial.epoch + 1
  const { wanted } = saved
  const state = {
    ...initial,
    epoch,
    wanted,
    failures: saved.failures,
    work: saved.work ?? noWork,
    lastAgent: saved.agent,
    lastEnd: saved.lastEnd
  }
  const kept = (what: string) =>
    ({ _tag: "Publish", event: { _tag: "StateKept", project: rules.project, what } }) as const
  if (saved.failed !== null) {
    const { recoveryCooldownMs } = rules.restart
    const { loginNeededMs: atMs } = saved
    const streak = atMs === undefined ? undefined : { kind: "auth" as const, inARow: 1, sinceMs: atMs, atMs }
    return [
      { ...state, streak, phase: Phase.Failed({ epoch, because: saved.failed }) },
      [
        kept(`failed: ${saved.failed}`),
        ...(recoveryCooldownMs === false
          ? []
          : [{ _tag: "CoolDown", epoch, forMs: recoveryCooldownMs } as const])
      ]
    ]
  }
  if (wanted === "auto" && !autostart) {
    const because = "autostart is off, and no user has started it"
    return [{ ...state, phase: Phase.Stopped({ because }) }, []]
  }
  if (wanted === "down") {
    const because = saved.stopped ?? "stopped before the daemon started"
    const what = saved.stopped === undefined ? "stopped" : `stopped: ${saved.stopped}`
    const phase = Phase.Stopped({ because, ...(saved.finished && { isFinished: true as const }) })
    return [{ ...state, phase }, [kept(what)]]
  }
  const wait = keptWait(rules, saved, nowMs, epoch)
  if (wait !== undefined) {
    const { phase, untilMs, what } = wait
    const timer = untilMs === undefined ? [] : [{ _tag: "WaitUntil", epoch, untilMs } as const]
    return [{ ...state, phase }, [...timer, kept(what)]]
  }
  return [
    { ...state, wanted: "up", phase: Phase.Starting({ epoch, again: false, remains: [] }) },
    [...(saved.failures > 0 ? [kept(failures(saved.failures))] : []), { _tag: "Spawn", epoch }]
  ]
}
