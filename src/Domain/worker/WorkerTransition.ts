import type { KillReason } from "../verdict/WorkerEnd.ts"
import type { PublishedEvent, WorkerAction, WorkerRules } from "./WorkerEvent.ts"
import { Phase, type Sequel, type WorkerState } from "./WorkerState.ts"

/** A new state, and what is to be done to get there. */
export type Step = readonly [state: WorkerState, actions: ReadonlyArray<WorkerAction>]

/** Nothing changes. */
export const stay = (state: WorkerState): Step => [state, []]

/** The event is told to everyone who follows. */
export const publish = (event: PublishedEvent): WorkerAction => ({ _tag: "Publish", event })

/** The step, with more to do at its end. */
export const andThen = (step: Step, ...actions: ReadonlyArray<WorkerAction>): Step => [
  step[0],
  [...step[1], ...actions]
]

/** A new life begins. `again` is whether it counts as a restart. Only from a state without a tree. */
export const launch = (state: WorkerState, again: boolean): Step => {
  const epoch = state.epoch + 1
  return [
    { ...state, epoch, wanted: "up", phase: Phase.Starting({ epoch, again, remains: [] }) },
    [{ _tag: "CancelTimer" }, { _tag: "Spawn", epoch }]
  ]
}

/** The worker is at rest until somebody acts. */
export const rest = (rules: WorkerRules, state: WorkerState, because: string): Step => [
  { ...state, phase: Phase.Stopped({ because }) },
  [{ _tag: "CancelTimer" }, publish({ _tag: "WorkerStopped", project: rules.project, reason: because })]
]

/** Its tree is ended for the reason `asked`; `sequel` is what comes then. */
export const end = (
  state: WorkerState,
  epoch: number,
  sequel: Sequel,
  asked: string,
  cause?: KillReason
): Step => [
  { ...state, phase: Phase.Stopping({ epoch, sequel, asked, cause, ended: undefined, remains: [] }) },
  [{ _tag: "CancelTimer" }, { _tag: "EndTree", epoch }]
]

/** A start that waits for a time of day, or until it is released, or both. */
export const hold = (
  rules: WorkerRules,
  state: WorkerState,
  { again, awaits, because, untilMs }: Omit<Extract<Sequel, { _tag: "Hold" }>, "_tag">
): Step => {
  const epoch = state.epoch + 1
  return [
    { ...state, epoch, phase: Phase.Waiting({ epoch, untilMs, because, again, awaits }) },
    [
      // Whoever looks at the memory also looks at the clock.
      ...(awaits === "memory" ? [] : [{ _tag: "WaitUntil", epoch, untilMs } as const]),
      publish({ _tag: "Waiting", project: rules.project, why: because, untilMs })
    ]
  ]
}

/** Until a person acts, or the cool-down that the settings allow is over. */
export const giveUp = (
  rules: WorkerRules,
  before: WorkerState,
  because: string,
  told: PublishedEvent
): Step => {
  const epoch = before.epoch + 1
  const { recoveryCooldownMs } = rules.restart
  return [
    { ...before, epoch, phase: Phase.Failed({ epoch, because }) },
    [
      { _tag: "CancelTimer" },
      publish(told),
      ...(recoveryCooldownMs === false
        ? []
        : [{ _tag: "CoolDown", epoch, forMs: recoveryCooldownMs } as const])
    ]
  ]
}

/** One more failure in a row: a backoff, or the end of our patience. */
export const fail = (rules: WorkerRules, before: WorkerState, because: string): Step => {
  const { project, restart } = rules
  const state = { ...before, failures: before.failures + 1 }
  const { failures } = state
  if (failures >= restart.maxConsecutiveRestarts) {
    const told = { _tag: "GaveUp", project, failures, reason: because } as const
    return giveUp(rules, state, `${failures} failures in a row, the last: ${because}`, told)
  }
  const epoch = before.epoch + 1
  return [
    { ...state, epoch, phase: Phase.Restarting({ epoch, dueMs: undefined, because }) },
    [{ _tag: "Backoff", epoch, failuresBefore: before.failures }]
  ]
}
