import { afterNoStart } from "../session/WorkProgress.ts"
import { withFreshChances } from "../session/WorkRecord.ts"
import { describeSurvivors } from "../tree/Survivor.ts"
import { describeEnd } from "../verdict/WorkerEnd.ts"
import { onForget, onProgress } from "./AgentProgress.ts"
import { remainsFound } from "./LifecycleEvent.ts"
import { onCommand } from "./UserCommands.ts"
import type { HeldStart, WorkerEvent, WorkerRules } from "./WorkerEvent.ts"
import { follow, onDown, personNeeded, proceed } from "./WorkerJudgement.ts"
import { type Awaited, lastEndOf, Phase, Sequel, type WorkerState } from "./WorkerState.ts"
import {
  andThen,
  end,
  fail,
  giveUp,
  hold,
  launch,
  precededBy,
  publish,
  rest,
  type Step,
  stay
} from "./WorkerTransition.ts"

const onDrain = (rules: WorkerRules, before: WorkerState, because: string): Step => {
  const state = { ...before, leaving: because }
  const { phase } = state
  switch (phase._tag) {
    case "Starting":
    case "Running":
      return end(state, phase.epoch, Sequel.Stay({ because }), because)
    case "Stopping":
      return [state, before.leaving === because ? [{ _tag: "Hasten", epoch: phase.epoch }] : []]
    case "Restarting":
    case "Waiting":
    case "Failed":
      return rest(rules, state, because)
    case "Stopped":
      return stay(state)
  }
}

/** A failed worker that is tried again by itself. */
const afresh = (state: WorkerState): WorkerState => ({
  ...state,
  failures: 0,
  work: withFreshChances(state.work)
})

/** Only a user's start waits for the end of another worker. */
const byUserOf = ({ awaits }: { readonly awaits: Awaited }) => (awaits === "worker" ? true : undefined)

/** Starts the worker that waits for this reason. */
const onRelease = (state: WorkerState, because: string): Step => {
  const { phase } = state
  if (phase._tag === "Failed" && phase.because === because) return launch(afresh(state), true)
  if (phase._tag === "Waiting" && phase.awaits !== "time" && phase.because === because)
    return launch(state, phase.again, byUserOf(phase))
  const held = phase._tag === "Stopping" && phase.sequel._tag === "Hold" ? phase.sequel : undefined
  if (phase._tag === "Stopping" && held !== undefined && held.awaits !== "time" && held.because === because) {
    return stay({ ...state, phase: { ...phase, sequel: Sequel.Start({}) } })
  }
  return stay(state)
}

/** Adapts timers to a new policy: no wait is longer than the policy allows. */
const onPolicy = (
  { restart }: WorkerRules,
  state: WorkerState,
  { before, leftMs, uptimeMs }: Extract<WorkerEvent, { _tag: "PolicyChanged" }>
): Step => {
  const { phase } = state
  switch (phase._tag) {
    case "Running": {
      const inMs = Math.max(0, restart.successThresholdMs - uptimeMs)
      return restart.successThresholdMs === before.successThresholdMs
        ? stay(state)
        : [state, [{ _tag: "ArmSteady", epoch: phase.epoch, inMs }]]
    }
    case "Restarting":
      return leftMs <= restart.maxBackoffMs
        ? stay(state)
        : [state, [{ _tag: "BackoffFor", epoch: phase.epoch, delayMs: restart.maxBackoffMs }]]
    case "Failed":
      if (restart.recoveryCooldownMs === before.recoveryCooldownMs) return stay(state)
      return restart.recoveryCooldownMs === false
        ? [state, [{ _tag: "CancelTimer" }]]
        : [state, [{ _tag: "CoolDown", epoch: phase.epoch, forMs: restart.recoveryCooldownMs }]]
    case "Stopped":
    case "Starting":
    case "Stopping":
    case "Waiting":
      return stay(state)
  }
}

/** A start that the login holds. A project that stops at a usage limit stops now, and needs no run to meet it. */
const onHeld = (
  rules: WorkerRules,
  state: WorkerState,
  phase: Extract<Phase, { _tag: "Starting" | "Running" | "Stopping" }>,
  held: HeldStart
): Step => {
  if (phase._tag === "Stopping") return proceed(rules, state, phase.sequel, undefined)
  if (held.awaits !== "login" || rules.restart.on.usageLimit !== "stop")
    return hold(rules, state, { ...held, again: phase._tag === "Starting" && phase.again })
  const reason = `${held.because} (restart.on.usage_limit is "stop")`
  const next = { ...state, lastEnd: { verdict: "usage-limit" as const } }
  return giveUp(rules, next, reason, { _tag: "PersonNeeded", project: rules.project, reason })
}

/** Reports of the current run; `step` has dropped those of other epochs. */
const onRun = (
  rules: WorkerRules,
  state: WorkerState,
  phase: Extract<Phase, { _tag: "Starting" | "Running" | "Stopping" }>,
  event: Extract<WorkerEvent, { _tag: "Spawned" | "CannotStart" | "Held" | "Exited" | "Remaining" | "Down" }>
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
            [{ _tag: "ArmSteady", epoch, inMs: rules.restart.successThresholdMs }]
          ]
        : stay(state)
    case "CannotStart": {
      const published = publish({ _tag: "WorkerNotStarted", project, reason: event.because })
      // A refused start has begun no run.
      const work = event.verdict === undefined ? afterNoStart(state.work) : state.work
      if (phase._tag === "Stopping") return proceed(rules, { ...state, work }, phase.sequel, undefined)
      const lastEnd = { verdict: event.verdict?.kind ?? ("not-started" as const) }
      const next = { ...state, work, lastExit: `not started: ${event.because}`, lastEnd }
      if (event.isRefused)
        return andThen(giveUp(rules, next, event.because, personNeeded(rules, event.because)), published)
      const verdict = event.verdict ?? ({ kind: "not-started", reason: event.because } as const)
      return precededBy(
        follow(rules, next, verdict, { nowMs: event.nowMs, sentence: event.because, uptimeMs: 0 }),
        published
      )
    }
    case "Held":
      return onHeld(rules, { ...state, work: afterNoStart(state.work) }, phase, event)
    case "Exited": {
      const next = {
        ...state,
        lastExit: describeEnd(event),
        lastEnd: lastEndOf(event.exit)
      }
      const wasAsked = phase._tag === "Stopping" && phase.asked !== undefined
      const { exit, oomKill, uptimeMs } = event
      const ended = { exit, uptimeMs, ...(oomKill && { oomKill }) }
      const published = publish({ _tag: "WorkerExited", project, ...ended, wasAsked })
      if (phase._tag === "Stopping") return [{ ...next, phase: { ...phase, ended } }, [published]]
      const byItself = { sequel: Sequel.Judge(), asked: undefined, cause: undefined }
      return [
        { ...next, phase: Phase.Stopping({ epoch, ...byItself, ended, remains: [] }) },
        [{ _tag: "CancelTimer" }, published]
      ]
    }
    case "Remaining":
      return phase._tag === "Running"
        ? stay(state)
        : [
            { ...state, phase: { ...phase, remains: event.survivors } },
            // The run reports them again and again, perhaps all night: only a change is an event.
            describeSurvivors(event.survivors) === describeSurvivors(phase.remains)
              ? []
              : [publish(remainsFound(project, event.survivors))]
          ]
    case "Down":
      return phase._tag === "Stopping"
        ? onDown(rules, state, phase, event)
        : fail(rules, state, "its supervision failed unexpectedly")
  }
}

/**
 * The automaton of one project's worker: pure, total, and the only place that decides. README.md has its table. It
 * never starts a worker from a state in which a process tree may live.
 */
export const step = (rules: WorkerRules, state: WorkerState, event: WorkerEvent): Step => {
  const { phase } = state
  switch (event._tag) {
    case "Command":
      return onCommand(rules, state, event)
    case "Release":
      return onRelease(state, event.because)
    case "AskAgain":
      return phase._tag === "Waiting" && (phase.awaits === "login" || phase.awaits === "probe")
        ? launch(state, phase.again)
        : stay(state)
    case "Hurry":
      return phase._tag === "Stopping" ? [state, [{ _tag: "Hasten", epoch: phase.epoch }]] : stay(state)
    case "Drain":
      return onDrain(rules, state, event.because)
    case "PolicyChanged":
      return onPolicy(rules, state, event)
    case "RestartFor": {
      if (phase._tag !== "Running" || state.leaving !== undefined) return stay(state)
      const because = event.because
      const sequel =
        event.next._tag === "hold"
          ? Sequel.Hold({ because, untilMs: event.next.untilMs, again: true, awaits: event.next.awaits })
          : event.next._tag === "fail"
            ? Sequel.Fail({ because })
            : event.next._tag === "give-up"
              ? Sequel.GiveUp({ because })
              : event.next._tag === "judge"
                ? Sequel.Judge()
                : Sequel.Start({})
      const isStop = sequel._tag === "GiveUp" || event.cause?._tag === "Window"
      return andThen(
        end(state, phase.epoch, sequel, because, event.cause),
        publish({
          _tag: isStop ? "AgentStopped" : "RestartAsked",
          project: rules.project,
          reason: because
        })
      )
    }
    case "Forget":
      return onForget(rules, state, event.ticket)
    case "Progress":
      return phase._tag === "Running" && phase.epoch === event.epoch
        ? onProgress(rules, state, phase.epoch, event)
        : stay(state)
    case "Spawned":
    case "CannotStart":
    case "Held":
    case "Exited":
    case "Remaining":
    case "Down":
      return (phase._tag === "Starting" || phase._tag === "Running" || phase._tag === "Stopping") &&
        phase.epoch === event.epoch
        ? onRun(rules, state, phase, event)
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
      return phase._tag === "Waiting"
        ? launch(state, phase.again, byUserOf(phase))
        : launch(phase._tag === "Failed" ? afresh(state) : state, true)
  }
}
