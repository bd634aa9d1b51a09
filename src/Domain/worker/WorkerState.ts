import * as Data from "effect/Data"
import * as Schema from "effect/Schema"
import type { VerdictKind } from "../verdict/ExitVerdict.ts"
import type { KillReason, WorkerEnd } from "../verdict/WorkerEnd.ts"

/**
 * What a start that is held waits for. `time`: its time of day. `worker`: another worker's end, or its time at the
 * latest; the one who ends it is a part of this daemon, so that a later one does not wait for that. `memory`: enough of
 * it, which only the one who looks at it knows; its time is when less is enough.
 */
export type Awaited = "time" | "worker" | "memory"

/** What comes after the tree of a worker is verified gone. The last command wins. */
export type Sequel =
  | { readonly _tag: "Stay"; readonly because: string }
  | { readonly _tag: "Start" }
  /** What the verdict on its end says. */
  | { readonly _tag: "Judge" }
  | { readonly _tag: "Fail"; readonly because: string }
  | {
      readonly _tag: "Hold"
      readonly because: string
      readonly untilMs: number
      readonly again: boolean
      readonly awaits: Awaited
    }

export const Sequel = Data.taggedEnum<Sequel>()

/**
 * Where a worker is in its life. Every phase that waits for something carries the epoch of what it waits for: a
 * cancelled fiber cannot take back what it has already reported, so reports of another epoch are dropped.
 */
export type Phase =
  | { readonly _tag: "Stopped"; readonly because: string }
  /** From the decision, the sweep of leftovers included, until the process runs. `remains` are leftovers that hang. */
  | {
      readonly _tag: "Starting"
      readonly epoch: number
      readonly again: boolean
      readonly remains: ReadonlyArray<number>
    }
  | { readonly _tag: "Running"; readonly epoch: number; readonly pid: number }
  /** From the request or the leader's exit until the whole tree is gone. `remains` names what cannot be ended. */
  | {
      readonly _tag: "Stopping"
      readonly epoch: number
      readonly sequel: Sequel
      /** Why it was told to end; undefined when its leader ended by itself. */
      readonly asked: string | undefined
      readonly cause: KillReason | undefined
      /** How its leader has ended; undefined while it lives, or when it was never started. */
      readonly ended: WorkerEnd | undefined
      readonly remains: ReadonlyArray<number>
    }
  /** A backoff. `dueMs` (since 1970) is unknown for the instant until the schedule has named its delay. */
  | {
      readonly _tag: "Restarting"
      readonly epoch: number
      readonly dueMs: number | undefined
      readonly because: string
    }
  /** Held back. `again` is whether the start that follows counts as a restart. */
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

/** Everything the daemon knows about one project's worker. */
export interface WorkerState {
  readonly phase: Phase
  /** The newest epoch handed out; every start of a worker and every wait takes a new one. */
  readonly epoch: number
  /** Failures in a row: the only counter behind the backoff. */
  readonly failures: number
  /** How often a worker was started again since the daemon started. */
  readonly totalRestarts: number
  /** What a person wants, which outlives the daemon; `auto` until somebody has said something: autostart decides. */
  readonly wanted: "up" | "down" | "auto"
  /** Why nothing is started any more: the daemon shuts down, or the project is none any more. */
  readonly leaving: string | undefined
  /** The verdict on the last end, and how many ends in a row had it; undefined when a person has acted since. */
  readonly streak: { readonly kind: VerdictKind; readonly inARow: number } | undefined
  /** How the last worker ended, in one sentence. */
  readonly lastExit: string | undefined
}

export const initial: WorkerState = {
  phase: Phase.Stopped({ because: "it has not been started yet" }),
  epoch: 0,
  failures: 0,
  totalRestarts: 0,
  wanted: "auto",
  leaving: undefined,
  streak: undefined,
  lastExit: undefined
}

/** The word for the state on the wire and in `autopilotd status`. */
export const statusWord = (state: WorkerState): WorkerStatus => {
  // Until the daemon, or the project, is gone it is stopping, also once its worker is.
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

const hanging = (pids: ReadonlyArray<number>): string =>
  `the last worker's pid ${pids.join(", ")} cannot be ended (it may hang in the kernel); a new worker starts only when it is gone`

const intention = (sequel: Sequel): string => {
  switch (sequel._tag) {
    case "Stay":
      return sequel.because
    case "Start":
      return "it is started anew once its last process is gone"
    case "Judge":
      return "it ended by itself; what it left behind is being ended"
    case "Fail":
    case "Hold":
      return sequel.because
  }
}

/** Why the worker is where it is, as one sentence without a full stop. */
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

/** When the worker is started again by itself, in milliseconds since 1970; undefined when no time is due. */
export const nextStartMs = ({ phase }: WorkerState): number | undefined => {
  if (phase._tag === "Restarting") return phase.dueMs
  return phase._tag === "Waiting" && phase.awaits !== "memory" ? phase.untilMs : undefined
}

/** The start of a worker that is held until there is enough memory: why, and when less is enough. */
export const heldForMemory = ({
  leaving,
  phase
}: WorkerState): { readonly because: string; readonly untilMs: number } | undefined => {
  if (leaving !== undefined) return undefined
  const held = phase._tag === "Stopping" && phase.sequel._tag === "Hold" ? phase.sequel : phase
  return (held._tag === "Hold" || held._tag === "Waiting") && held.awaits === "memory" ? held : undefined
}
/** The words for a worker's state on the wire. */

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
