import { reached, type Today, usedUp, withWarnings } from "../session/Budget.ts"
import { afterNoStart, afterRun, type SessionEnd, withProgress } from "../session/WorkProgress.ts"
import { anotherWork, isCostExact, type WorkRecord } from "../session/WorkRecord.ts"
import { humanDuration } from "../text/Amounts.ts"
import { lastWords } from "../verdict/ExitJudgement.ts"
import type { Verdict } from "../verdict/ExitVerdict.ts"
import { describeUsed, type UsedLimit } from "../verdict/UsedLimit.ts"
import type { RunEvidence, WorkerEnd } from "../verdict/WorkerEnd.ts"
import type { WorkerEvent, WorkerRules } from "./WorkerEvent.ts"
import { Sequel, type WorkerState } from "./WorkerState.ts"
import { andThen, end, publish, type Step, stay } from "./WorkerTransition.ts"

/** Adds what a running agent has used. Ends it at a limit that it does not know itself, or when it lingers too long. */
export const onProgress = (
  { agent, project }: WorkerRules,
  state: WorkerState,
  epoch: number,
  { nowMs, seen, today }: Extract<WorkerEvent, { _tag: "Progress" }>
): Step => {
  if (agent === undefined) return stay(state)
  const [work, near] = withWarnings(agent, withProgress(state.work, seen, today.date), today)
  const warnings = near.map((usage) =>
    publish({ _tag: "BudgetNearlySpent", project, usage, isExact: isCostExact(work) })
  )
  const next = { ...state, work }
  const stopped = (because: string, cause: Parameters<typeof end>[4]): Step => {
    const [after, actions] = end(next, epoch, Sequel.Judge(), because, cause)
    return [after, [...warnings, publish({ _tag: "AgentStopped", project, reason: because }), ...actions]]
  }
  const { result } = seen
  if (result !== undefined && !result.isError) {
    return nowMs - result.atMs < agent.lingerMs
      ? [next, warnings]
      : stopped(
          `it has finished, and has waited for its background tasks for ${humanDuration(agent.lingerMs)} (agent.linger_ms)`,
          { _tag: "Linger" }
        )
  }
  const usage = reached(agent, work, today)
  // An agent that was told the limit of its work ends in good order by itself.
  return usage === undefined || (usage.setting === "max_budget" && agent.adapter.limited !== undefined)
    ? [next, warnings]
    : stopped(describeUsed(usage), { _tag: "Budget", usage })
}

/** A verdict with the figures of the work, which its limits are for, not of its last run. */
const ofWork = (verdict: Verdict, usage: UsedLimit | undefined, turns: number | undefined): Verdict => {
  if (verdict.kind === "budget" && usage !== undefined) return { ...verdict, usage }
  return verdict.kind === "max-turns" && turns !== undefined ? { ...verdict, turns } : verdict
}

/** The work after a run, and its verdict with the limit that was used up. */
export const sessionAfter = (
  { agent }: WorkerRules,
  state: WorkerState,
  verdict: Verdict,
  {
    ended,
    seen,
    today
  }: { readonly ended: WorkerEnd; readonly seen: RunEvidence; readonly today: Today | undefined }
): { readonly verdict: Verdict; readonly session: SessionEnd | undefined } => {
  if (agent === undefined || today === undefined) return { verdict, session: undefined }
  const work = withProgress(state.work, seen.agent, today.date)
  const { exit, uptimeMs } = ended
  const usage =
    verdict.kind === "budget" && verdict.says === undefined && verdict.usage === undefined
      ? usedUp(agent, work, today)
      : undefined
  const known = ofWork(verdict, usage, agent.maxTurns === undefined ? undefined : work.turns)
  const session = afterRun(agent, work, known, uptimeMs, {
    exit,
    seen: seen.agent,
    lastLines: lastWords(seen)
  })
  return { session, verdict: known }
}

/** The work after a run that never started, or whose exit is unknown: its process hangs in the kernel. */
export const afterUnknownEnd = (
  work: WorkRecord,
  seen: RunEvidence | undefined,
  today: Today | undefined
): WorkRecord =>
  seen === undefined
    ? afterNoStart(work)
    : today === undefined
      ? work
      : withProgress(work, seen.agent, today.date)

/** The answer to a user who begins another work. */
const begun = ({ phase: { _tag } }: WorkerState, isRunning: boolean): string => {
  if (isRunning)
    return "Another work begins, its budget from zero; the running agent keeps its session and its limits"
  const message = "Another work begins with the next start, its budget from zero"
  return _tag === "Stopped" || _tag === "Failed" ? `${message}. Start it: autopilotd start-worker` : message
}

/** Begins another work. A running agent goes on with its session, and with the limits that it was started with. */
export const onForget = ({ project }: WorkerRules, state: WorkerState, ticket: number): Step => {
  const { work } = state
  const { _tag } = state.phase
  const isRunning = _tag === "Starting" || _tag === "Running" || _tag === "Stopping"
  const next = {
    ...anotherWork(work),
    ...(isRunning && work.run !== undefined ? { run: work.run } : {}),
    ...(isRunning && work.session !== undefined ? { session: work.session, task: work.task } : {})
  }
  return andThen(
    stay({ ...state, work: next }),
    publish({ _tag: "BudgetReset", project, usd: work.usd, turns: work.turns }),
    { _tag: "Answer", ticket, success: true, message: begun(state, isRunning) }
  )
}
