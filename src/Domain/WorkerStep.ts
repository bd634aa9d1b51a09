import type { DaemonEvent } from "./DaemonEvent.ts"
import { humanDuration } from "./HumanDuration.ts"
import { describe as describeExit, isClean, type WorkerExit } from "./WorkerExit.ts"
import type { Command, WorkerAction, WorkerEvent, WorkerRules } from "./WorkerEvent.ts"
import { Phase, Sequel, type WorkerState } from "./WorkerState.ts"

export type Step = readonly [state: WorkerState, actions: ReadonlyArray<WorkerAction>]

const stay = (state: WorkerState): Step => [state, []]

const publish = (event: DaemonEvent): WorkerAction => ({ _tag: "Publish", event })

const andThen = (step: Step, ...actions: ReadonlyArray<WorkerAction>): Step => [
  step[0],
  [...step[1], ...actions]
]

const launch = (state: WorkerState, again: boolean): Step => {
  const epoch = state.epoch + 1
  return [
    { ...state, epoch, wanted: "up", phase: Phase.Starting({ epoch, again, remains: [] }) },
    [{ _tag: "CancelTimer" }, { _tag: "Spawn", epoch }]
  ]
}

const rest = (rules: WorkerRules, state: WorkerState, because: string): Step => [
  { ...state, phase: Phase.Stopped({ because }) },
  [{ _tag: "CancelTimer" }, publish({ _tag: "WorkerStopped", project: rules.project, reason: because })]
]

const end = (state: WorkerState, epoch: number, sequel: Sequel): Step => [
  { ...state, phase: Phase.Stopping({ epoch, sequel, asked: true, remains: [] }) },
  [{ _tag: "CancelTimer" }, { _tag: "EndTree", epoch }]
]

const hold = (rules: WorkerRules, state: WorkerState, untilMs: number, because: string): Step => {
  const epoch = state.epoch + 1
  return [
    { ...state, epoch, phase: Phase.Waiting({ epoch, untilMs, because }) },
    [
      { _tag: "WaitUntil", epoch, untilMs },
      publish({ _tag: "Waiting", project: rules.project, why: because, untilMs })
    ]
  ]
}

const fail = (rules: WorkerRules, before: WorkerState, because: string): Step => {
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
const judge = (rules: WorkerRules, before: WorkerState, exit: WorkerExit, uptimeMs: number): Step => {
  const { restart } = rules
  const wasSteady = uptimeMs >= restart.successThresholdMs
  // The steady timer may have fired in the same instant as the exit and lost.
  const state = wasSteady ? { ...before, failures: 0 } : before
  const sentence = `${describeExit(exit)} after ${humanDuration(uptimeMs)}`
  if (isClean(exit) && restart.policy === "on-failure") {
    return rest(rules, { ...state, failures: 0, wanted: "down" }, `its work is finished (${sentence})`)
  }
  return isClean(exit) && wasSteady ? launch(state, true) : fail(rules, state, sentence)
}

/** What follows once the tree of `Stopping` is gone. */
const proceed = (rules: WorkerRules, state: WorkerState, sequel: Sequel): Step => {
  if (state.draining) return rest(rules, state, "the daemon is shutting down")
  switch (sequel._tag) {
    case "Stay":
      return rest(rules, state, sequel.because)
    case "Start":
      return launch(state, true)
    case "Judge":
      return judge(rules, state, sequel.exit, sequel.uptimeMs)
    case "Fail":
      return fail(rules, state, sequel.because)
    case "Hold":
      return hold(rules, state, sequel.untilMs, sequel.because)
  }
}

const byCommand = "stopped by command"

const onStart = (before: WorkerState, ticket: number): Step => {
  const answer = (message: string): WorkerAction => ({ _tag: "Answer", ticket, success: true, message })
  const state: WorkerState = { ...before, failures: 0, wanted: "up" }
  switch (state.phase._tag) {
    case "Starting":
      return [state, [answer("Worker is already starting")]]
    case "Running":
      return [state, [answer("Worker is already running")]]
    case "Stopping":
      return [
        { ...state, phase: { ...state.phase, sequel: Sequel.Start() } },
        [answer("Worker is stopping and will be started once its last process is gone")]
      ]
    case "Stopped":
      return andThen(launch(state, false), answer("Worker is starting"))
    case "Restarting":
    case "Waiting":
    case "Failed":
      return andThen(launch(state, true), answer("Worker is starting"))
  }
}

const onStop = (rules: WorkerRules, before: WorkerState, ticket: number): Step => {
  const answer = (message: string): WorkerAction => ({ _tag: "Answer", ticket, success: true, message })
  const state: WorkerState = { ...before, wanted: "down" }
  const sequel = Sequel.Stay({ because: byCommand })
  switch (state.phase._tag) {
    case "Stopped":
      return [state, [answer("Worker stopped")]]
    case "Starting":
    case "Running":
      return andThen(end(state, state.phase.epoch, sequel), answer("Worker is stopping"))
    case "Stopping": {
      // A second stop shortens the grace; the first one after an exit of the worker's own does not.
      const hasten = state.phase.asked && state.phase.sequel._tag === "Stay"
      return [
        { ...state, phase: { ...state.phase, sequel, asked: true } },
        [
          ...(hasten ? [{ _tag: "Hasten", epoch: state.phase.epoch } as const] : []),
          answer("Worker is stopping")
        ]
      ]
    }
    case "Restarting":
    case "Waiting":
    case "Failed":
      return andThen(rest(rules, state, byCommand), answer("Worker stopped"))
  }
}

const onRestart = (before: WorkerState, ticket: number): Step => {
  const answer: WorkerAction = {
    _tag: "Answer",
    ticket,
    success: true,
    message: "Worker restart initiated"
  }
  const state: WorkerState = { ...before, failures: 0, wanted: "up" }
  switch (state.phase._tag) {
    case "Starting":
    case "Running":
      return andThen(end(state, state.phase.epoch, Sequel.Start()), answer)
    case "Stopping":
      return [{ ...state, phase: { ...state.phase, sequel: Sequel.Start() } }, [answer]]
    case "Stopped":
      return andThen(launch(state, false), answer)
    case "Restarting":
    case "Waiting":
    case "Failed":
      return andThen(launch(state, true), answer)
  }
}

const onCommand = (rules: WorkerRules, state: WorkerState, command: Command, ticket: number): Step => {
  if (state.draining) {
    return [
      state,
      [
        {
          _tag: "Answer",
          ticket,
          success: command === "stop",
          message:
            command === "stop"
              ? "Worker is stopping"
              : `Cannot ${command} the worker: the daemon is shutting down`
        }
      ]
    ]
  }
  const [next, actions] =
    command === "start"
      ? onStart(state, ticket)
      : command === "stop"
        ? onStop(rules, state, ticket)
        : onRestart(state, ticket)
  return [next, [publish({ _tag: "CommandTaken", project: rules.project, command }), ...actions]]
}

const onDrain = (rules: WorkerRules, before: WorkerState): Step => {
  const state = { ...before, draining: true }
  const { phase } = state
  switch (phase._tag) {
    case "Starting":
    case "Running":
      return end(state, phase.epoch, Sequel.Stay({ because: "the daemon is shutting down" }))
    case "Stopping":
      return [state, before.draining ? [{ _tag: "Hasten", epoch: phase.epoch }] : []]
    case "Restarting":
    case "Waiting":
    case "Failed":
      return rest(rules, state, "the daemon is shutting down")
    case "Stopped":
      return stay(state)
  }
}

/** Reports of the fiber that lives a worker's life. One of another epoch never gets here. */
const onLife = (
  rules: WorkerRules,
  state: WorkerState,
  phase: Extract<Phase, { _tag: "Starting" | "Running" | "Stopping" }>,
  event: Extract<WorkerEvent, { _tag: "Spawned" | "CannotStart" | "Exited" | "Remaining" | "Down" }>
): Step => {
  const { epoch } = phase
  const { project } = rules
  switch (event._tag) {
    case "Spawned":
      return phase._tag === "Starting"
        ? [
            {
              ...state,
              phase: Phase.Running({ epoch, pid: event.pid }),
              totalRestarts: state.totalRestarts + (phase.again ? 1 : 0)
            },
            [{ _tag: "ArmSteady", epoch }]
          ]
        : stay(state)
    case "CannotStart": {
      const told = publish({ _tag: "WorkerNotStarted", project, reason: event.because })
      const next = { ...state, lastExit: `not started: ${event.because}` }
      return phase._tag === "Stopping"
        ? proceed(rules, state, phase.sequel)
        : andThen(fail(rules, next, event.because), told)
    }
    case "Exited": {
      const next = {
        ...state,
        lastExit: `${describeExit(event.exit)} after ${humanDuration(event.uptimeMs)}`
      }
      const told = publish({ _tag: "WorkerExited", project, exit: event.exit, uptimeMs: event.uptimeMs })
      if (phase._tag === "Stopping") return [next, [told]]
      const sequel = Sequel.Judge({ exit: event.exit, uptimeMs: event.uptimeMs })
      return [
        { ...next, phase: Phase.Stopping({ epoch, sequel, asked: false, remains: [] }) },
        [{ _tag: "CancelTimer" }, told]
      ]
    }
    case "Remaining":
      return phase._tag === "Running"
        ? stay(state)
        : [
            { ...state, phase: { ...phase, remains: event.pids } },
            [publish({ _tag: "RemainsFound", project, pids: event.pids })]
          ]
    case "Down":
      return proceed(
        rules,
        state,
        phase._tag === "Stopping"
          ? phase.sequel
          : Sequel.Fail({ because: "its supervision ended unexpectedly" })
      )
  }
}

/**
 * The automaton of one project's worker: pure, total, and the only place that decides. The table it implements
 * stands in ARCHITECTURE.md. Nothing is ever started from a state in which a tree may still live.
 */
export const step = (rules: WorkerRules, state: WorkerState, event: WorkerEvent): Step => {
  const { phase } = state
  switch (event._tag) {
    case "Command":
      return onCommand(rules, state, event.command, event.ticket)
    case "Drain":
      return onDrain(rules, state)
    case "RestartFor": {
      if (phase._tag !== "Running" || state.draining) return stay(state)
      const because = event.because
      const sequel =
        event.next._tag === "hold"
          ? Sequel.Hold({ because, untilMs: event.next.untilMs })
          : event.next._tag === "fail"
            ? Sequel.Fail({ because })
            : Sequel.Start()
      return andThen(
        end(state, phase.epoch, sequel),
        publish({ _tag: "RestartAsked", project: rules.project, reason: because })
      )
    }
    case "Spawned":
    case "CannotStart":
    case "Exited":
    case "Remaining":
    case "Down":
      return (phase._tag === "Starting" || phase._tag === "Running" || phase._tag === "Stopping") &&
        phase.epoch === event.epoch
        ? onLife(rules, state, phase, event)
        : stay(state)
    case "Steady":
      return phase._tag === "Running" && phase.epoch === event.epoch && state.failures > 0
        ? [
            { ...state, failures: 0 },
            [
              publish({
                _tag: "WorkerSteady",
                project: rules.project,
                afterMs: rules.restart.successThresholdMs,
                failuresForgotten: state.failures
              })
            ]
          ]
        : stay(state)
    case "BackingOff":
      return phase._tag === "Restarting" && phase.epoch === event.epoch
        ? [
            { ...state, phase: { ...phase, dueMs: event.dueMs } },
            [
              publish({
                _tag: "BackingOff",
                project: rules.project,
                failures: state.failures,
                delayMs: event.delayMs
              })
            ]
          ]
        : stay(state)
    case "Due":
      if (
        (phase._tag !== "Restarting" && phase._tag !== "Waiting" && phase._tag !== "Failed") ||
        phase.epoch !== event.epoch
      ) {
        return stay(state)
      }
      return launch(phase._tag === "Failed" ? { ...state, failures: 0 } : state, true)
  }
}
