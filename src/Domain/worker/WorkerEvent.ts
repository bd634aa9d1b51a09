import type { AgentSeen } from "../agent/AgentSeen.ts"
import type { ProjectName } from "../Project.ts"
import type { AgentPlan } from "../session/AgentPlan.ts"
import type { Today } from "../session/Budget.ts"
import type { SessionEvent } from "../session/SessionEvent.ts"
import type { Survivor } from "../tree/Survivor.ts"
import type { Verdict } from "../verdict/ExitVerdict.ts"
import type { Places } from "../verdict/Places.ts"
import type { KillReason, RunEvidence, WorkerEnd } from "../verdict/WorkerEnd.ts"
import type { LifecycleEvent } from "./LifecycleEvent.ts"
import type { RestartPolicy } from "./RestartPolicy.ts"
import type { SavedStateEvent } from "./SavedStateEvent.ts"
import type { Awaited } from "./WorkerState.ts"

/** The input of the automaton. Reports of fibers carry the epoch of their run or wait. */
export type WorkerEvent =
  | {
      readonly _tag: "Command"
      readonly command: UserCommand
      readonly ticket: number
      /** Holds a start until its release or until this time of day. */
      readonly hold?: Hold
    }
  /** Releases the start that is held for this reason, or the worker that has failed for it. */
  | { readonly _tag: "Release"; readonly because: string }
  /** What is known of the usage limit of its login has changed: a start that waits for it asks again. */
  | { readonly _tag: "AskAgain" }
  /** A restart by the daemon: for memory, a usage limit, a stall. Only `fail` counts as a failure. */
  | {
      readonly _tag: "RestartFor"
      readonly because: string
      readonly cause?: KillReason | undefined
      readonly next: /** `judge`: the verdict decides, as after an exit by itself. */
      /** `give-up`: failed until a user acts. */
        | { readonly _tag: "start" | "fail" | "judge" | "give-up" }
        | { readonly _tag: "hold"; readonly untilMs: number; readonly awaits: Awaited }
    }
  /** Ends the grace period of a worker that is stopping, because memory is nearly out. */
  | { readonly _tag: "Hurry" }
  | { readonly _tag: "Drain"; readonly because: string }
  /** The restart policy changed. `uptimeMs` is the length of the run, `leftMs` the rest of the backoff. */
  | {
      readonly _tag: "PolicyChanged"
      readonly before: RestartPolicy
      readonly uptimeMs: number
      readonly leftMs: number
    }
  | { readonly _tag: "Spawned"; readonly epoch: number; readonly pid: number }
  | {
      readonly _tag: "CannotStart"
      readonly epoch: number
      readonly because: string
      /** Milliseconds since 1970. */
      readonly nowMs: number
      /** Set where the daemon refuses the start: too little is left of a budget. */
      readonly verdict?: Verdict
      /** The settings of the project allow no start: only other settings help. */
      readonly isRefused?: true
    }
  /** The login of the worker holds its start. */
  | ({ readonly _tag: "Held"; readonly epoch: number } & HeldStart)
  /** What the agent has reported so far. */
  | {
      readonly _tag: "Progress"
      readonly epoch: number
      readonly seen: AgentSeen
      readonly today: Today
      /** Milliseconds since 1970. */
      readonly nowMs: number
    }
  /** A user begins another work. */
  | { readonly _tag: "Forget"; readonly ticket: number }
  | { readonly _tag: "Steady"; readonly epoch: number }
  /** The leader has exited; other processes of its tree may live. */
  | ({ readonly _tag: "Exited"; readonly epoch: number } & WorkerEnd)
  /** These processes survived SIGKILL; `Down` follows when they are gone. */
  | { readonly _tag: "Remaining"; readonly epoch: number; readonly survivors: ReadonlyArray<Survivor> }
  /** The process tree is verified gone: only now may another worker start. */
  | {
      readonly _tag: "Down"
      readonly epoch: number
      /** Undefined when the worker never started. */
      readonly seen: RunEvidence | undefined
      /** Set for a worker whose agent is known. */
      readonly today?: Today | undefined
    }
  | {
      readonly _tag: "BackingOff"
      readonly epoch: number
      readonly delayMs: number
      readonly dueMs: number
    }
  /** A backoff, hold or cool-down is over. */
  | { readonly _tag: "Due"; readonly epoch: number }

export type UserCommand = "start" | "stop" | "restart"

/** A start that the login of the worker holds. */
export interface HeldStart extends Hold {
  readonly awaits: Extract<Awaited, "login" | "probe" | "time">
}

/** Why a start waits, and until when at most (milliseconds since 1970). */
export interface Hold {
  readonly because: string
  readonly untilMs: number
}

/** The output of the automaton, which the project's actor carries out in this order. */
export type WorkerAction =
  | {
      readonly _tag: "Answer"
      readonly ticket: number
      readonly success: boolean
      readonly message: string
    }
  /** `byUser`: no usage limit of its login holds it. */
  | { readonly _tag: "Spawn"; readonly epoch: number; readonly byUser?: true }
  | { readonly _tag: "EndTree"; readonly epoch: number }
  /** End the grace period of the tree that is stopping. */
  | { readonly _tag: "Hasten"; readonly epoch: number }
  /** Report when the worker has run for `inMs` from now. */
  | { readonly _tag: "ArmSteady"; readonly epoch: number; readonly inMs: number }
  /** Wait for the delay after `failuresBefore` + 1 failures. */
  | { readonly _tag: "Backoff"; readonly epoch: number; readonly failuresBefore: number }
  /** Replace the backoff by this delay from now. */
  | { readonly _tag: "BackoffFor"; readonly epoch: number; readonly delayMs: number }
  | { readonly _tag: "WaitUntil"; readonly epoch: number; readonly untilMs: number }
  | { readonly _tag: "CoolDown"; readonly epoch: number; readonly forMs: number }
  | { readonly _tag: "CancelTimer" }
  | { readonly _tag: "Publish"; readonly event: PublishedEvent }

export type PublishedEvent = LifecycleEvent | SavedStateEvent | SessionEvent

/** The settings of a project by which `step` decides. */
export interface WorkerRules {
  readonly project: ProjectName
  readonly restart: RestartPolicy
  /** Absent for a worker whose agent is unknown. */
  readonly agent?: AgentPlan | undefined
  /** What advice names. */
  readonly places?: Places | undefined
}
