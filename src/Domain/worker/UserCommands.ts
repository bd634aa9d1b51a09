import { withFreshChances } from "../session/WorkRecord.ts"
import type { Hold, UserCommand, WorkerAction, WorkerRules } from "./WorkerEvent.ts"
import { Sequel, type WorkerState } from "./WorkerState.ts"
import { andThen, end, hold, launch, publish, rest, type Step } from "./WorkerTransition.ts"

const answering =
  (ticket: number) =>
  (message: string): WorkerAction => ({ _tag: "Answer", ticket, success: true, message })

const byCommand = "stopped by command"

/** The state after a user has asked for a worker that runs: what it has failed at before does not count. */
const askedFor = (before: WorkerState): WorkerState => ({
  ...before,
  failures: 0,
  streak: undefined,
  wanted: "up",
  work: withFreshChances(before.work)
})

const onStart = (before: WorkerState, ticket: number): Step => {
  const answer = answering(ticket)
  const state = askedFor(before)
  switch (state.phase._tag) {
    case "Starting":
      return [state, [answer("Worker is already starting")]]
    case "Running":
      return [state, [answer("Worker is already running")]]
    case "Stopping":
      return [
        { ...state, phase: { ...state.phase, sequel: Sequel.Start({ byUser: true }), commanded: true } },
        [answer("Worker is stopping and will be started once its last process is gone")]
      ]
    case "Stopped":
      return andThen(launch(state, false, true), answer("Worker is starting"))
    case "Restarting":
    case "Waiting":
    case "Failed":
      return andThen(launch(state, true, true), answer("Worker is starting"))
  }
}

/** A start on hold. A worker that runs or starts is left alone. */
const onHeldStart = (rules: WorkerRules, before: WorkerState, held: Hold, ticket: number): Step => {
  const answer = answering(ticket)(`Worker is waiting: ${held.because}`)
  const state = askedFor(before)
  switch (state.phase._tag) {
    case "Starting":
    case "Running":
      return onStart(before, ticket)
    case "Stopping": {
      const sequel = Sequel.Hold({ ...held, again: true, awaits: "worker" })
      return [{ ...state, phase: { ...state.phase, sequel, commanded: true } }, [answer]]
    }
    case "Stopped":
      return andThen(hold(rules, state, { ...held, again: false, awaits: "worker" }), answer)
    case "Restarting":
    case "Waiting":
    case "Failed":
      return andThen(hold(rules, state, { ...held, again: true, awaits: "worker" }), answer)
  }
}

const onStop = (rules: WorkerRules, before: WorkerState, ticket: number): Step => {
  const answer = answering(ticket)
  const state: WorkerState = { ...before, wanted: "down" }
  const sequel = Sequel.Stay({ because: byCommand })
  switch (state.phase._tag) {
    case "Stopped":
      return [state, [answer("Worker stopped")]]
    case "Starting":
    case "Running":
      return andThen(end(state, state.phase.epoch, sequel, byCommand), answer("Worker is stopping"))
    case "Stopping": {
      // A second stop ends the grace period.
      const hasten = state.phase.sequel._tag === "Stay"
      return [
        { ...state, phase: { ...state.phase, sequel, commanded: true } },
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
  const answer = answering(ticket)("Worker restart initiated")
  const state = askedFor(before)
  switch (state.phase._tag) {
    case "Starting":
    case "Running":
      return andThen(
        end(state, state.phase.epoch, Sequel.Start({ byUser: true }), "restarted by command"),
        answer
      )
    case "Stopping":
      return [
        { ...state, phase: { ...state.phase, sequel: Sequel.Start({ byUser: true }), commanded: true } },
        [answer]
      ]
    case "Stopped":
      return andThen(launch(state, false, true), answer)
    case "Restarting":
    case "Waiting":
    case "Failed":
      return andThen(launch(state, true, true), answer)
  }
}

/** Carries out a command of a user, with an answer in every state. */
export const onCommand = (
  rules: WorkerRules,
  state: WorkerState,
  {
    command,
    hold: held,
    ticket
  }: { readonly command: UserCommand; readonly ticket: number; readonly hold?: Hold }
): Step => {
  if (state.leaving !== undefined) {
    return [
      state,
      [
        {
          _tag: "Answer",
          ticket,
          success: command === "stop",
          message:
            command === "stop" ? "Worker is stopping" : `Cannot ${command} the worker: ${state.leaving}`
        }
      ]
    ]
  }
  const [next, actions] =
    command === "start"
      ? held === undefined
        ? onStart(state, ticket)
        : onHeldStart(rules, state, held, ticket)
      : command === "stop"
        ? onStop(rules, state, ticket)
        : onRestart(state, ticket)
  return [next, [publish({ _tag: "CommandTaken", project: rules.project, command }), ...actions]]
}
