import type { KillReason } from "../verdict/WorkerEnd.ts"
import { delayMs } from "./RestartPolicy.ts"
import type { PublishedEvent, WorkerAction, WorkerRules } from "./WorkerEvent.ts"
import { Phase, type Sequel, type WorkerState } from "./WorkerState.ts"

/** A new state, and the actions that lead to it. */
export type Step = readonly [state: WorkerState, actions: ReadonlyArray<WorkerAction>]

export const stay = (state: WorkerState): Step => [state, []]

export const publish = (event: PublishedEvent): WorkerAction => ({ _tag: "Publish", event })

/** Adds actions at the end of a step. */
export const andThen = (step: Step, ...actions: ReadonlyArray<WorkerAction>): Step => [
  step[0],
  [...step[1], ...actions]
]

/** Adds actions at the beginning of a step. */
export const precededBy = (step: Step, ...actions: ReadonlyArray<WorkerAction>): Step => [
  step[0],
  [...actions, ...step[1]]
]

/**
 * Starts a run. `again`: it counts as a restart. `byUser`: no usage limit of its login holds it. Only from a state
 * without a process tree.
 */
export const launch = (state: WorkerState, again: boolean, byUser?: true): Step => {
  const epoch = state.epoch + 1
  return [
    { ...state, epoch, wanted: "up", phase: Phase.Starting({ epoch, again, remains: [] }) },
    [{ _tag: "CancelTimer" }, { _tag: "Spawn", epoch, ...(byUser && { byUser }) }]
  ]
}

/** Stopped until a user acts. */
export const rest = (
  rules: WorkerRules,
  state: WorkerState,
  because: string,
  finished?: { readonly isFinished: true }
): Step => [
  { ...state, phase: Phase.Stopped({ because, ...finished }) },
  [{ _tag: "CancelTimer" }, publish({ _tag: "WorkerStopped", project: rules.project, reason: because })]
]

/** Stops the process tree for the reason `asked`, then carries out `sequel`. */
export const end = (
  state: WorkerState,
  epoch: number,
  sequel: Sequel,
  asked: string,
  cause?: KillReason
): Step => {
  // A stop does not end the leftovers that keep a worker from starting.
  const remains = state.phase._tag === "Starting" ? state.phase.remains : []
  return [
    { ...state, phase: Phase.Stopping({ epoch, sequel, asked, cause, ended: undefined, remains }) },
    [{ _tag: "CancelTimer" }, { _tag: "EndTree", epoch }]
  ]
}

/** Holds a start until a time of day, a release, or the first of both. */
export const hold = (
  rules: WorkerRules,
  state: WorkerState,
  { again, awaits, because, untilMs }: Omit<Extract<Sequel, { _tag: "Hold" }>, "_tag">
): Step => {
  const epoch = state.epoch + 1
  return [
    { ...state, epoch, phase: Phase.Waiting({ epoch, untilMs, because, again, awaits }) },
    [
      // The release for memory also depends on the clock.
      ...(awaits === "memory" ? [] : [{ _tag: "WaitUntil", epoch, untilMs } as const]),
      publish({ _tag: "Waiting", project: rules.project, why: because, untilMs })
    ]
  ]
}

/** Failed until a user acts or the cool-down of the settings is over. */
export const giveUp = (
  rules: WorkerRules,
  before: WorkerState,
  because: string,
  event: PublishedEvent
): Step => {
  const epoch = before.epoch + 1
  const { recoveryCooldownMs } = rules.restart
  return [
    { ...before, epoch, phase: Phase.Failed({ epoch, because }) },
    [
      { _tag: "CancelTimer" },
      publish(event),
      ...(recoveryCooldownMs === false
        ? []
        : [{ _tag: "CoolDown", epoch, forMs: recoveryCooldownMs } as const])
    ]
  ]
}

/** Counts a failure: a backoff follows, or `failed` after too many in a row. A backoff of no time starts the next run. */
export const fail = (rules: WorkerRules, before: WorkerState, because: string): Step => {
  const { project, restart } = rules
  const state = { ...before, failures: before.failures + 1 }
  const { failures } = state
  if (failures >= restart.maxConsecutiveRestarts) {
    const event = { _tag: "GaveUp", project, failures, reason: because } as const
    return giveUp(rules, state, `${failures} failures in a row, the last: ${because}`, event)
  }
  // Without a delay there is nothing to wait for, and no state to save in between.
  if (delayMs(restart, before.failures) === 0)
    return precededBy(launch(state, true), publish({ _tag: "BackingOff", project, failures, delayMs: 0 }))
  const epoch = before.epoch + 1
  return [
    { ...state, epoch, phase: Phase.Restarting({ epoch, dueMs: undefined, because }) },
    [{ _tag: "Backoff", epoch, failuresBefore: before.failures }]
  ]
}
