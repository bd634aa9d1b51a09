import type { AgentEnd } from "../agent/AgentAdapter.ts"
import type { AgentSeen } from "../agent/AgentSeen.ts"
import { spentOf } from "../agent/AgentSpent.ts"
import type { Verdict } from "../verdict/ExitVerdict.ts"
import type { AgentPlan } from "./AgentPlan.ts"
import { spentOn, type WorkRecord } from "./WorkRecord.ts"

/** The figures of a run by its output so far. An agent that tells no cost has none. */
const usedBy = ({ cost, turns }: AgentSeen) => {
  const { costUsd, isExact } = spentOf(cost)
  return { usd: Math.max(0, costUsd ?? 0), isExact: isExact || turns === 0, turns }
}

/** The work with what its run has used so far, on this day (`2026-11-29`). */
export const withProgress = (work: WorkRecord, seen: AgentSeen, date: string): WorkRecord => {
  const { run } = work
  if (run === undefined) return work
  const used = usedBy(seen)
  const moreUsd = used.usd - run.usd
  const hasAnswered = used.turns > 0
  return {
    ...work,
    usd: Math.max(0, work.usd + moreUsd),
    turns: Math.max(0, work.turns + used.turns - run.turns),
    day: { date, usd: Math.max(0, spentOn(work, date) + moreUsd) },
    ...(seen.sessionId === undefined ? {} : { session: seen.sessionId }),
    resumes: hasAnswered ? 0 : work.resumes,
    fruitless: hasAnswered ? 0 : work.fruitless,
    run: { ...run, ...used }
  }
}

const withoutSession = (work: WorkRecord): WorkRecord => {
  const { session, ...others } = work
  return session === undefined ? work : { ...others, resumes: 0 }
}

/** A run that met a limit, or an API that was down, says nothing about the session or the progress of the work. */
export const notCounted = (work: WorkRecord): WorkRecord =>
  work.run === undefined || work.run.turns > 0
    ? work
    : { ...work, resumes: Math.max(0, work.resumes - 1), fruitless: Math.max(0, work.fruitless - 1) }

/** A session that is too large kills its next run as soon as it is loaded. */
const soonMs = 60_000

/** What the end of a run means for the session. */
export interface SessionEnd {
  readonly work: WorkRecord
  /** The agent refused the session, and another start helps: it is no failure. */
  readonly isRefused: boolean
  /** Why the next run begins anew; undefined when it continues, or nothing is to be continued. */
  readonly dropped: string | undefined
}

const why = (
  plan: AgentPlan,
  work: WorkRecord,
  verdict: Verdict,
  uptimeMs: number,
  end: AgentEnd
): string | undefined => {
  const isResumed = work.run?.start === "resumed"
  if (verdict.kind === "context-full" && work.turns > 0) return "it exceeded the context of the model"
  if (!isResumed) return undefined
  if (verdict.kind === "crash" && end.seen.result?.apiErrorStatus === 400) return "the API rejects it"
  if (verdict.kind === "out-of-memory" && uptimeMs < soonMs)
    return "it ran out of memory right after it was loaded"
  return work.resumes >= plan.resumeAttempts
    ? `${work.resumes} runs in a row continued it without a finished answer`
    : undefined
}

/** The work after a run. `work` holds its progress already. */
export const afterRun = (
  plan: AgentPlan,
  work: WorkRecord,
  verdict: Verdict,
  uptimeMs: number,
  end: AgentEnd
): SessionEnd => {
  const nothing = { isRefused: false, dropped: undefined }
  if (verdict.kind === "done") return { ...nothing, work: withoutSession(work) }
  if (work.run?.start === "resumed" && plan.adapter.refusal(end) === "unknown")
    return { isRefused: true, dropped: "the agent does not know it any more", work: withoutSession(work) }
  const dropped =
    plan.resume && work.session !== undefined ? why(plan, work, verdict, uptimeMs, end) : undefined
  return { isRefused: false, dropped, work: dropped === undefined ? work : withoutSession(work) }
}
