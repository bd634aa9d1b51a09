import type { AgentEnd } from "../adapter/AgentAdapter.ts"
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

const withoutCount = ({ fruitless, resumes, ...work }: WorkRecord): WorkRecord => ({
  ...work,
  resumes: work.run?.start === "resumed" ? Math.max(0, resumes - 1) : resumes,
  fruitless: Math.max(0, fruitless - 1)
})

/** The work after a run that did not start. Its session has not begun, or is as it was. */
export const afterNoStart = (work: WorkRecord): WorkRecord => {
  if (work.run === undefined) return work
  const { run, ...others } = withoutCount(work)
  return run?.start === "fresh" ? withoutSession(others) : others
}

/** Ends that say nothing against the session, nor against another run: their cause lies elsewhere. */
const blameless: ReadonlySet<Verdict["kind"]> = new Set([
  "usage-limit",
  "overloaded",
  "auth",
  "budget",
  "max-turns",
  "killed-by-us",
  "not-started"
])

/** A session that is too large kills its next run as soon as it is loaded. */
const soonMs = 60_000

/** What the end of a run means for the session. */
export interface SessionEnd {
  readonly work: WorkRecord
  /** The agent refused the session, and another start helps: it is no failure. */
  readonly isRefused: boolean
  /** Why the next run begins anew; undefined when it continues, or nothing is to be continued. */
  readonly dropped: string | undefined
  /** The next run does not meet what ended this one: it has another session, or another limit. */
  readonly isOvercome: boolean
}

const why = (
  plan: AgentPlan,
  { resumes, run }: WorkRecord,
  verdict: Verdict,
  uptimeMs: number,
  end: AgentEnd
): string | undefined => {
  const isResumed = run?.start === "resumed"
  // Before its first answer a new session holds only the prompt, which is too long for each other session as well.
  if (verdict.kind === "context-full" && (isResumed || (run?.turns ?? 0) > 0))
    return "it exceeded the context of the model"
  if (!isResumed) return undefined
  if (verdict.kind === "crash" && end.seen.result?.apiErrorStatus === 400) return "the API rejects it"
  if (verdict.kind === "out-of-memory" && uptimeMs < soonMs)
    return "it ran out of memory right after it was loaded"
  return resumes >= plan.resumeAttempts
    ? `${resumes} runs in a row continued it without a finished answer`
    : undefined
}

/** The limit of a run that is no limit of its work any more: the day is over, or a user has changed the limit. */
const isLimitMoved = (plan: AgentPlan, { run }: WorkRecord, verdict: Verdict): boolean =>
  verdict.kind === "budget" &&
  verdict.usage === undefined &&
  verdict.says === undefined &&
  run !== undefined &&
  run.usd > 0 &&
  Object.values(plan.budget).some((limit) => limit !== undefined)

/** The work after a run. `work` holds its progress already. */
export const afterRun = (
  plan: AgentPlan,
  before: WorkRecord,
  verdict: Verdict,
  uptimeMs: number,
  end: AgentEnd
): SessionEnd => {
  const nothing = { isRefused: false, dropped: undefined, isOvercome: false }
  if (verdict.kind === "done") return { ...nothing, work: { ...withoutSession(before), isFinished: true } }
  const refusal = plan.adapter.refusal(end)
  if (before.run?.start === "resumed" && refusal === "unknown") {
    const dropped = "the agent does not know it any more"
    return { ...nothing, isRefused: true, dropped, work: withoutSession(before) }
  }
  if (refusal === "in-use" && plan.resume && plan.ownSession !== undefined)
    return { ...nothing, isRefused: true, work: { ...before, session: plan.ownSession, resumes: 0 } }
  const work = blameless.has(verdict.kind) && end.seen.turns === 0 ? withoutCount(before) : before
  const dropped =
    plan.resume && work.session !== undefined ? why(plan, work, verdict, uptimeMs, end) : undefined
  if (dropped === undefined) return { ...nothing, work, isOvercome: isLimitMoved(plan, work, verdict) }
  const isOvercome = verdict.kind === "context-full"
  return { isRefused: false, dropped, work: withoutSession(work), isOvercome }
}
