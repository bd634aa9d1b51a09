import type { DaemonEvent } from "./DaemonEvent.ts"
import type { WorkerAction, WorkerRules } from "./WorkerEvent.ts"
import { describe as describeEnd, type WorkerEnd } from "./WorkerEnd.ts"
import { isClean } from "./WorkerExit.ts"
import { Phase, type Sequel, type WorkerState } from "./WorkerState.ts"

/** A new state, and what is to be done to get there. */
export type Step = readonly [state: WorkerState, actions: ReadonlyArray<WorkerAction>]

/** Nothing changes. */
export const stay = (state: WorkerState): Step => [state, []]

/** The event is told to everyone who follows. */
export const publish = (event: DaemonEvent): WorkerAction => ({ _tag: "Publish", event })

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

/** Its tree is ended; `sequel` is what comes then. */
export const end = (state: WorkerState, epoch: number, sequel: Sequel): Step => [
  { ...state, phase: Phase.Stopping({ epoch, sequel, asked: true, remains: [] }) },
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

/** One more failure in a row: a backoff, or the end of our patience. */
export const fail = (rules: WorkerRules, before: WorkerState, because: string): Step => {
  const { restart, project } = rules
  const epoch = before.epoch + 1
  const state = { ...before, epoch, failures: before.failures + 1 }
  if (state.failures < restart.maxConsecutiveRestarts) {
    return [
      { ...state, phase: Phase.Restarting({ epoch, dueMs: undefined, because }) },
      [{ _tag: "Backoff", epoch, failuresBefore: before.failures }]
    ]
  }
  const failed = Phase.Failed({
    epoch,
    because: `${state.failures} failures in a row, the last: ${because}`
  })
  return [
    { ...state, phase: failed },
    [
      { _tag: "CancelTimer" },
      publish({ _tag: "GaveUp", project, failures: state.failures, reason: because }),
      ...(restart.recoveryCooldownMs === false
        ? []
        : [{ _tag: "CoolDown", epoch, forMs: restart.recoveryCooldownMs } as const])
    ]
  ]
}

/** The tree is gone after the leader ended by itself: is the work finished, or is this a failure? */
const judge = (rules: WorkerRules, before: WorkerState, ended: WorkerEnd): Step => {
  const { restart } = rules
  const { exit, uptimeMs } = ended
  const wasSteady = uptimeMs >= restart.successThresholdMs
  // The steady timer may have fired in the same instant as the exit and lost.
  const state = wasSteady ? { ...before, failures: 0 } : before
  const sentence = describeEnd(ended)
  if (isClean(exit) && restart.policy === "on-failure") {
    return rest(rules, { ...state, failures: 0, wanted: "down" }, `its work is finished (${sentence})`)
  }
  return isClean(exit) && wasSteady ? launch(state, true) : fail(rules, state, sentence)
}

/** What follows once the tree of `Stopping` is gone. */
export const proceed = (rules: WorkerRules, state: WorkerState, sequel: Sequel): Step => {
  if (state.leaving !== undefined) return rest(rules, state, state.leaving)
  switch (sequel._tag) {
    case "Stay":
      return rest(rules, state, sequel.because)
    case "Start":
      return launch(state, true)
    case "Judge":
      return judge(rules, state, sequel)
    case "Fail":
      return fail(rules, state, sequel.because)
    case "Hold":
      return hold(rules, state, sequel)
  }
}
