import type { ProjectName } from "../Project.ts"
import type { KillReason, RunEvidence, WorkerEnd } from "../verdict/WorkerEnd.ts"
import type { LifecycleEvent } from "./LifecycleEvent.ts"
import type { RestartPolicy } from "./RestartPolicy.ts"
import type { SavedStateEvent } from "./SavedStateEvent.ts"
import type { Awaited } from "./WorkerState.ts"

/** What happens to a worker. Everything but commands carries the epoch of the life or the wait it speaks of. */
export type WorkerEvent =
  | {
      readonly _tag: "Command"
      readonly command: UserCommand
      readonly ticket: number
      /** Of a start: not before it is released or this time of day has come. */
      readonly hold?: Hold
    }
  /** What a start was held for has come about: `because` names it. */
  | { readonly _tag: "Release"; readonly because: string }
  /** The daemon wants a restart: for memory, a usage limit, a stall. It counts as a failure only with `fail`. */
  | {
      readonly _tag: "RestartFor"
      readonly because: string
      readonly cause?: KillReason | undefined
      readonly next: /** `judge`: as after an end of its own, by the verdict. */
        | { readonly _tag: "start" | "fail" | "judge" }
        | { readonly _tag: "hold"; readonly untilMs: number; readonly awaits: Awaited }
    }
  /** What is being ended gets no more time, because memory is nearly out. */
  | { readonly _tag: "Hurry" }
  | { readonly _tag: "Drain"; readonly because: string }
  /** The rules are others than `before`. How long the worker has run, and how long the backoff still lasts. */
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
    }
  | { readonly _tag: "Steady"; readonly epoch: number }
  /** The leader is gone; others of its tree may not be. */
  | ({ readonly _tag: "Exited"; readonly epoch: number } & WorkerEnd)
  /** These processes of the tree survive KILL; `Down` follows when they are gone. */
  | { readonly _tag: "Remaining"; readonly epoch: number; readonly pids: ReadonlyArray<number> }
  /** The whole tree is verified gone: only now may another worker start. */
  | {
      readonly _tag: "Down"
      readonly epoch: number
      /** Undefined when the worker was never started. */
      readonly seen: RunEvidence | undefined
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

/** Why a start waits, and how long at most (milliseconds since 1970). */
export interface Hold {
  readonly because: string
  readonly untilMs: number
}

/** What is to be done. `step` decides, the project's actor does it, in this order. */
export type WorkerAction =
  | {
      readonly _tag: "Answer"
      readonly ticket: number
      readonly success: boolean
      readonly message: string
    }
  | { readonly _tag: "Spawn"; readonly epoch: number }
  | { readonly _tag: "EndTree"; readonly epoch: number }
  /** Cut the grace of the tree that is being ended short. */
  | { readonly _tag: "Hasten"; readonly epoch: number }
  /** Report when the worker has run for `inMs` from now. */
  | { readonly _tag: "ArmSteady"; readonly epoch: number; readonly inMs: number }
  /** Wait for the delay after `failuresBefore` + 1 failures. */
  | { readonly _tag: "Backoff"; readonly epoch: number; readonly failuresBefore: number }
  /** Wait for this long instead, from now. */
  | { readonly _tag: "BackoffFor"; readonly epoch: number; readonly delayMs: number }
  | { readonly _tag: "WaitUntil"; readonly epoch: number; readonly untilMs: number }
  | { readonly _tag: "CoolDown"; readonly epoch: number; readonly forMs: number }
  | { readonly _tag: "CancelTimer" }
  | { readonly _tag: "Publish"; readonly event: PublishedEvent }

/** What a step publishes. */
export type PublishedEvent = LifecycleEvent | SavedStateEvent

/** What `step` must know of a project to decide for it. */
export interface WorkerRules {
  readonly project: ProjectName
  readonly restart: RestartPolicy
}
