import * as Data from "effect/Data"
import * as Schema from "effect/Schema"
import type { AgentRun } from "../session/AgentRun.ts"
import { noWork, type WorkRecord } from "../session/WorkRecord.ts"
import { describeSurvivors, type Survivor } from "../tree/Survivor.ts"
import type { WorkerExit } from "../tree/WorkerExit.ts"
import { VerdictKind } from "../verdict/ExitVerdict.ts"
import type { KillReason, WorkerEnd } from "../verdict/WorkerEnd.ts"
import { Count, perhaps } from "../Wire.ts"

/**
 * The condition that a held start waits for. `time`: its time of day. `worker`: the end of another worker, or its time
 * at the latest; a later daemon does not wait for it. `memory`: enough memory; from its time on, less is enough.
 * `login`: the end of a usage limit, at its time or earlier. `probe`: the first answer of another worker of the same
 * login, or its time at the latest.
 */
export type Awaited = "time" | "worker" | "memory" | "login" | "probe"

/** The transition after a process tree is verified gone. The last command wins. */
export type Sequel =
  | { readonly _tag: "Stay"; readonly because: string }
  /** `byUser`: no usage limit of its login holds it. */
  | { readonly _tag: "Start"; readonly byUser?: true }
  /** The reaction to the verdict. */
  | { readonly _tag: "Judge" }
  | { readonly _tag: "Fail"; readonly because: string }
  /** Failed at once: another run would only cost money. */
  | { readonly _tag: "GiveUp"; readonly because: string }
  | {
      readonly _tag: "Hold"
      readonly because: string
      readonly untilMs: number
      readonly again: boolean
      readonly awaits: Awaited
    }

export const Sequel = Data.taggedEnum<Sequel>()

/**
 * The state of the automaton. A phase that waits for a fiber carries the epoch of that fiber: a cancelled fiber cannot
 * take back a report from the inbox, so `step` drops reports of other epochs.
 */
export type Phase =
  /** `isFinished`: by the success of its work, not by a user. */
  | { readonly _tag: "Stopped"; readonly because: string; readonly isFinished?: true }
  /** Until the process runs, including the kill of leftovers. `remains` are leftovers that survived SIGKILL. */
  | {
      readonly _tag: "Starting"
      readonly epoch: number
      readonly again: boolean
      readonly remains: ReadonlyArray<Survivor>
    }
  | { readonly _tag: "Running"; readonly epoch: number; readonly pid: number }
  /** From the request or the leader's exit until the tree is gone. `remains` are processes that survived SIGKILL. */
  | {
      readonly _tag: "Stopping"
      readonly epoch: number
      readonly sequel: Sequel
      /** A user has chosen the sequel since: it holds whatever the verdict is. */
      readonly commanded?: boolean
      /** Why the daemon stops it; undefined after an exit by itself. */
      readonly asked: string | undefined
      readonly cause: KillReason | undefined
      /** Undefined while the leader lives, or when it never started. */
      readonly ended: WorkerEnd | undefined
      readonly remains: ReadonlyArray<Survivor>
    }
  /** A backoff. `dueMs` (since 1970) is undefined until the schedule has chosen its delay. */
  | {
      readonly _tag: "Restarting"
      readonly epoch: number
      readonly dueMs: number | undefined
      readonly because: string
    }
  /** A held start. `again`: it counts as a restart. */
  | {
      readonly _tag: "Waiting"
      readonly epoch: number
      readonly untilMs: number
      readonly because: string
      readonly again: boolean
      readonly awaits: Awaited
    }
  | { readonly _tag: "Failed"; readonly epoch: number; readonly because: string }

export const Phase = Data.taggedEnum<Phase>()

/** The exits since the last command of a user. */
interface Streak {
  readonly kind: VerdictKind
  /** The exits in a row with this verdict. */
  readonly inARow: number
  /** The last success, or the start of the first run without one; in milliseconds since 1970. */
  readonly sinceMs: number
  /** The time of the last verdict. */
  readonly atMs: number
}

/** The end of a run. `verdict` is absent until the exit is judged; a worker that was not started has neither of the others. */
export const LastEnd = Schema.Struct({
  verdict: perhaps(VerdictKind),
  code: perhaps(Count),
  signal: perhaps(Schema.String)
})
export type LastEnd = typeof LastEnd.Type

/** The end of a run from the status of its leader. */
export const lastEndOf = ({ code, signal }: WorkerExit, verdict?: VerdictKind): LastEnd => ({
  ...(verdict === undefined ? {} : { verdict }),
  ...(code === null ? {} : { code }),
  ...(signal === null ? {} : { signal })
})

/** The state of a project's worker. */
export interface WorkerState {
  readonly phase: Phase
  /** The newest epoch; every run and every wait takes a new one. */
  readonly epoch: number
  /** Failures in a row: the only counter behind the backoff. */
  readonly failures: number
  /** The number of restarts since the start of the daemon. */
  readonly totalRestarts: number
  /** The last command of a user, which outlives the daemon; `auto` before the first one: autostart decides. */
  readonly wanted: "up" | "down" | "auto"
  /** Why the worker stops for good: the daemon shuts down, or the project was removed. */
  readonly leaving: string | undefined
  /** The last verdict; undefined after a command of a user. */
  readonly streak: Streak | undefined
  /** The last exit, one sentence without a full stop. */
  readonly lastExit: string | undefined
  /** The same for programs. */
  readonly lastEnd: LastEnd | undefined
  /** The work of its agent across the runs; empty for a worker whose agent is unknown. */
  readonly work: WorkRecord
  /** The last run of its agent that has ended; undefined for a worker that is none. */
  readonly lastAgent: AgentRun | undefined
}

export const initial: WorkerState = {
  phase: Phase.Stopped({ because: "it has not been started yet" }),
  epoch: 0,
  failures: 0,
  totalRestarts: 0,
  wanted: "auto",
  leaving: undefined,
  streak: undefined,
  lastExit: undefined,
  lastEnd: undefined,
  work: noWork,
  lastAgent: undefined
}

/** Whether a worker is stopped because its work is finished. */
export const isFinished = ({ leaving, phase }: WorkerState): boolean =>
  leaving === undefined && phase._tag === "Stopped" && phase.isFinished === true

/** The words for the state of a worker on the wire. */
export const WorkerStatus = Schema.Literal(
  "stopped",
  "starting",
  "running",
  "stopping",
  "restarting",
  "waiting",
  "failed"
)
export type WorkerStatus = typeof WorkerStatus.Type

/** The word for the state on the wire and in `autopilotd status`. */
export const statusWord = (state: WorkerState): WorkerStatus => {
  // A project that ends stays `stopping` until it is gone, even after its worker.
  if (state.leaving !== undefined) return "stopping"
  switch (state.phase._tag) {
    case "Stopped":
      return "stopped"
    case "Starting":
      return state.phase.remains.length > 0 ? "waiting" : "starting"
    case "Running":
      return "running"
    case "Stopping":
      return state.phase.remains.length > 0 ? "waiting" : "stopping"
    case "Restarting":
      return "restarting"
    case "Waiting":
      return "waiting"
    case "Failed":
      return "failed"
  }
}

const hanging = (survivors: ReadonlyArray<Survivor>): string =>
  `the last worker's ${describeSurvivors(survivors)}; a new worker starts once it is gone`

const intention = (sequel: Sequel): string => {
  switch (sequel._tag) {
    case "Stay":
      return sequel.because
    case "Start":
      return "a new one starts once its last process is gone"
    case "Judge":
      return "it exited; the daemon kills its remaining processes"
    case "Fail":
    case "GiveUp":
    case "Hold":
      return sequel.because
  }
}

/** The reason of the current state, one sentence without a full stop. */
export const reason = (state: WorkerState): string | undefined => {
  if (state.leaving !== undefined) return state.leaving
  const { phase } = state
  switch (phase._tag) {
    case "Stopped":
    case "Restarting":
    case "Waiting":
    case "Failed":
      return phase.because
    case "Stopping":
      return phase.remains.length > 0 ? hanging(phase.remains) : intention(phase.sequel)
    case "Starting":
      return phase.remains.length > 0 ? hanging(phase.remains) : undefined
    case "Running":
      return undefined
  }
}

/** The time of the next start, in milliseconds since 1970; undefined when none is scheduled. */
export const nextStartMs = ({ phase }: WorkerState): number | undefined => {
  if (phase._tag === "Restarting") return phase.dueMs
  return phase._tag === "Waiting" && phase.awaits !== "memory" && phase.awaits !== "probe"
    ? phase.untilMs
    : undefined
}

/** The time of the stop of a worker that needs a login; undefined in other states. */
export const stoppedForLogin = ({ leaving, phase, streak }: WorkerState): number | undefined =>
  leaving === undefined && phase._tag === "Failed" && streak?.kind === "auth" ? streak.atMs : undefined

/** The hold of a start that waits for memory; from `untilMs` on, less memory is enough. */
export const heldForMemory = ({
  leaving,
  phase
}: WorkerState): { readonly because: string; readonly untilMs: number } | undefined => {
  if (leaving !== undefined) return undefined
  const held = phase._tag === "Stopping" && phase.sequel._tag === "Hold" ? phase.sequel : phase
  return (held._tag === "Hold" || held._tag === "Waiting") && held.awaits === "memory" ? held : undefined
}

/** The processes left after a drain; undefined while it goes on. Only processes that survived SIGKILL may be left. */
export const leftAfterDrain = ({ leaving, phase }: WorkerState): ReadonlyArray<Survivor> | undefined =>
  leaving === undefined
    ? undefined
    : phase._tag === "Stopped"
      ? []
      : (phase._tag === "Starting" || phase._tag === "Stopping") && phase.remains.length > 0
        ? phase.remains
        : undefined

/** Whether the worker has processes, or may have some. */
export const hasTree = ({ phase }: WorkerState): boolean =>
  phase._tag === "Starting" || phase._tag === "Running" || phase._tag === "Stopping"
