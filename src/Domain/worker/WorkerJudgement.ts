import { type AgentSeen, isAgent } from "../agent/AgentSeen.ts"
import { type AgentRun, agentRun } from "../session/AgentRun.ts"
import type { SessionEnd } from "../session/WorkProgress.ts"
import type { WorkRecord } from "../session/WorkRecord.ts"
import { humanDuration } from "../text/Amounts.ts"
import { openEnded } from "../text/TextLayout.ts"
import { isOfOneModel } from "../verdict/CauseWait.ts"
import { verdictOf } from "../verdict/ExitJudgement.ts"
import { describeVerdict, type Verdict } from "../verdict/ExitVerdict.ts"
import { describeEnd, type WorkerEnd } from "../verdict/WorkerEnd.ts"
import { afterUnknownEnd, sessionAfter } from "./AgentProgress.ts"
import { delayMs } from "./RestartPolicy.ts"
import { followUp } from "./VerdictPolicy.ts"
import type { PublishedEvent, WorkerEvent, WorkerRules } from "./WorkerEvent.ts"
import { lastEndOf, type Phase, Sequel, type WorkerState } from "./WorkerState.ts"
import { fail, giveUp, hold, launch, publish, rest, type Step } from "./WorkerTransition.ts"

export const personNeeded = ({ project }: WorkerRules, reason: string): PublishedEvent => ({
  _tag: "PersonNeeded",
  project,
  reason
})

/** Reacts to a verdict. `sentence` describes the exit. */
export const follow = (
  rules: WorkerRules,
  before: WorkerState,
  verdict: Verdict,
  {
    nowMs,
    sentence,
    session,
    successMs,
    uptimeMs
  }: {
    readonly nowMs: number
    readonly sentence: string
    readonly uptimeMs: number
    /** The time of its last success, in milliseconds since 1970; undefined without one. */
    readonly successMs?: number | undefined
    readonly session?: SessionEnd | undefined
  }
): Step => {
  const { restart } = rules
  const wasSteady = uptimeMs >= restart.successThresholdMs
  const { kind } = verdict
  // Works that are finished count however long they take.
  const isCounted = !wasSteady || kind === "done"
  const inARow = isCounted && before.streak?.kind === kind ? before.streak.inARow + 1 : 1
  const sinceMs = successMs ?? before.streak?.sinceMs ?? nowMs - uptimeMs
  // The steady timer may fire in the same instant as the exit, and lose.
  const state = {
    ...before,
    streak: { kind, inARow, sinceMs, atMs: nowMs },
    failures: wasSteady ? 0 : before.failures
  }
  const isRefused = session?.isRefused === true
  const next =
    isRefused || session?.isOvercome === true
      ? ({ _tag: "Restart" } as const)
      : followUp(verdict, { ...restart, places: rules.places }, { nowMs, inARow, sinceMs })
  switch (next._tag) {
    case "Restart": {
      const barren = barrenReason(rules, state.work, sentence)
      if (barren !== undefined) return giveUp(rules, state, barren, personNeeded(rules, barren))
      // The agent did not work: it only refused a session that the next start does not name.
      if (isRefused) return launch(before, true)
      return kind === "done" && wasSteady
        ? nextWork(rules, state, { inARow, uptimeMs, nowMs })
        : fail(rules, restarted(state, verdict), sentence)
    }
    case "Wait":
      return hold(rules, state, { ...next, again: true, awaits: isOfLogin(verdict) ? "login" : "time" })
    case "Stop":
      return kind === "done"
        ? rest(rules, { ...state, failures: 0, wanted: "down" }, `its work is finished (${sentence})`, {
            isFinished: true
          })
        : giveUp(rules, state, next.because, personNeeded(rules, next.because))
  }
}

/** An agent that finds nothing to do says so after a look or two, however long that takes. */
const idleTurns = 5

/** The share of a run that its pause may take, where it may have worked. */
const pauseShare = 0.1

/**
 * Begins another work after a finished one. A worker that is done again and again pauses in between, like a failing one,
 * whatever the length of its runs; a pause costs one that works a tenth of its time at most.
 */
const nextWork = (
  rules: WorkerRules,
  state: WorkerState,
  { inARow, nowMs, uptimeMs }: { readonly inARow: number; readonly nowMs: number; readonly uptimeMs: number }
): Step => {
  if (inARow === 1) return launch(state, true)
  const turns = rules.agent === undefined ? undefined : state.work.run?.turns
  const isIdle = turns !== undefined && turns <= idleTurns
  const fullMs = delayMs(rules.restart, inARow - 2)
  const pauseMs = isIdle ? fullMs : Math.min(fullMs, uptimeMs * pauseShare)
  const because = `it has finished ${inARow} times in a row; the next work begins after ${humanDuration(pauseMs)}`
  return hold(rules, state, { untilMs: nowMs + pauseMs, because, again: true, awaits: "time" })
}

/** Restarts without a finished answer only cost money. */
const barrenReason = ({ agent }: WorkerRules, { fruitless }: WorkRecord, last: string): string | undefined =>
  agent === undefined || fruitless < agent.maxFruitless
    ? undefined
    : `${fruitless} runs in a row ended without a finished answer, the last: ${last}. Read its output with ` +
      "`autopilotd logs`, then run: autopilotd start-worker"

/** A restart at the limit of a work begins another one: within the same, no run may start. */
const restarted = (state: WorkerState, verdict: Verdict): WorkerState => {
  const isOver =
    verdict.kind === "max-turns" || (verdict.kind === "budget" && verdict.usage?.setting === "max_budget")
  return isOver ? { ...state, work: { ...state.work, isFinished: true } } : state
}

/** Whether the limit is that of all workers with the same login. */
const isOfLogin = (verdict: Verdict): boolean => verdict.kind === "usage-limit" && !isOfOneModel(verdict.says)

interface Judged {
  readonly ended: WorkerEnd
  readonly agent: AgentSeen
  readonly verdict: Verdict
  readonly nowMs: number
  readonly session?: SessionEnd | undefined
}

/** The last success of a run: a finished answer of its agent. A program that is none has worked if it has run for long. */
const successIn = ({ restart }: WorkerRules, { agent, ended, nowMs }: Judged): number | undefined => {
  if (!isAgent(agent)) return ended.uptimeMs >= restart.successThresholdMs ? nowMs : undefined
  if (agent.turns === 0) return undefined
  const { lastAnswer, lastCall } = agent.work
  return Math.max(lastAnswer?.atMs ?? 0, lastCall?.atMs ?? 0) || nowMs
}

/** One sentence without a full stop about the exit and its cause. */
const describeJudged = ({ ended, verdict }: Pick<Judged, "ended" | "verdict">): string => {
  const end = describeEnd(ended)
  switch (verdict.kind) {
    case "done":
    case "killed-by-us":
    case "killed-by-other":
      return end
    case "crash": {
      const said = verdict.says ?? verdict.tail.at(-1)
      return said === undefined ? end : `${end}; last output: ${openEnded(said)}`
    }
    case "out-of-memory":
      return verdict.by === "kernel" ? end : `${end}; ${describeVerdict(verdict)}`
    default:
      return `${end}; ${describeVerdict(verdict)}`
  }
}

const judge = (rules: WorkerRules, state: WorkerState, judged: Judged | undefined): Step => {
  if (judged === undefined) return fail(rules, state, "its supervision failed unexpectedly")
  const { ended, nowMs, session, verdict } = judged
  const { uptimeMs } = ended
  const sentence = describeJudged(judged)
  return follow(rules, state, verdict, {
    nowMs,
    sentence,
    uptimeMs,
    session,
    successMs: successIn(rules, judged)
  })
}

/** Carries out the sequel of `Stopping` once the tree is gone. */
export const proceed = (
  rules: WorkerRules,
  state: WorkerState,
  sequel: Sequel,
  judged: Judged | undefined
): Step => {
  if (state.leaving !== undefined) return rest(rules, state, state.leaving)
  switch (sequel._tag) {
    case "Stay":
      return rest(rules, state, sequel.because)
    case "Start":
      return launch(state, true, sequel.byUser)
    case "Judge":
      return judge(rules, state, judged)
    case "Fail":
      return fail(rules, state, sequel.because)
    case "GiveUp":
      return giveUp(rules, state, sequel.because, personNeeded(rules, sequel.because))
    case "Hold":
      return hold(rules, state, sequel)
  }
}

/** A run that has told nothing leaves the agent of the run before. A user who stops an agent has seen what it needs. */
const lastAgentAfter = (
  { agent }: WorkerRules,
  { lastAgent }: WorkerState,
  run: AgentRun | undefined,
  verdict: Verdict
): WorkerState["lastAgent"] => {
  if (run === undefined) return agent === undefined ? undefined : lastAgent
  const { blocked, ...others } = run
  return blocked === undefined || verdict.kind === "killed-by-us" ? others : run
}

/** Judges the exit. Waits for `Down` because only then all output is read. */
export const onDown = (
  rules: WorkerRules,
  state: WorkerState,
  { asked, cause, commanded, ended, sequel }: Extract<Phase, { _tag: "Stopping" }>,
  { seen, today }: Pick<Extract<WorkerEvent, { _tag: "Down" }>, "seen" | "today">
): Step => {
  if (ended === undefined || seen === undefined)
    return proceed(rules, { ...state, work: afterUnknownEnd(state.work, seen, today) }, sequel, undefined)
  const { agent, nowMs, peakMemoryBytes, tail, timeZone } = seen
  const { exit, oomKill, uptimeMs } = ended
  const judgedBy = verdictOf({
    exit,
    uptimeMs,
    asked,
    stall: cause?._tag === "Stall" ? cause.stall : undefined,
    overLimit: cause?._tag === "Limit" ? cause.figures : undefined,
    usedUp: cause?._tag === "Budget" ? cause.usage : undefined,
    hasLingered: cause?._tag === "Linger" || cause?._tag === "Window",
    criticalMemory: cause?._tag === "Memory" ? cause.figures : undefined,
    oomKill,
    // Some exit codes mean something even when the agent has printed nothing.
    agent: agent.agent === undefined ? { ...agent, agent: rules.agent?.adapter.name } : agent,
    tail,
    nowMs,
    timeZone
  })
  const { session, verdict } = sessionAfter(rules, state, judgedBy, { ended, seen, today })
  const run = agentRun(agent)
  const event: PublishedEvent = {
    _tag: "WorkerEnded",
    project: rules.project,
    verdict,
    exit,
    uptimeMs,
    ...(oomKill && { oomKill }),
    ...(run && { agent: run }),
    ...(peakMemoryBytes === undefined ? {} : { peakMemoryBytes })
  }
  const before = {
    ...state,
    work: session?.work ?? state.work,
    lastExit: describeJudged({ ended, verdict }),
    lastEnd: lastEndOf(exit, verdict.kind),
    lastAgent: lastAgentAfter(rules, state, run, verdict)
  }
  // The worker had finished when the daemon stopped it for a reason of its own: another run would pay for it again.
  const isFinished = verdict.kind === "done" && cause !== undefined && commanded !== true
  const next = isFinished ? Sequel.Judge() : sequel
  const [after, actions] = proceed(rules, before, next, { agent, ended, nowMs, verdict, session })
  const dropped = session?.dropped
  const told: ReadonlyArray<PublishedEvent> =
    dropped === undefined
      ? [event]
      : [event, { _tag: "SessionDropped", project: rules.project, reason: dropped }]
  return [after, [...told.map(publish), ...actions]]
}
