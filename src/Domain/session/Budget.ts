import type { RunLimits } from "../adapter/AgentAdapter.ts"
import type { UsedLimit } from "../verdict/UsedLimit.ts"
import type { AgentPlan } from "./AgentPlan.ts"
import { spentOn, type WorkRecord } from "./WorkRecord.ts"

/** The day, and what the other projects have spent on it. */
export interface Today {
  /** `2026-11-29` */
  readonly date: string
  readonly othersUsd: number
}

/** Every limit of spending that is set, with what is used of it. */
const used = (
  { budget }: AgentPlan,
  work: WorkRecord,
  { date, othersUsd }: Today
): ReadonlyArray<UsedLimit> => {
  const today = spentOn(work, date)
  const all = [
    { setting: "max_budget", usedUsd: work.usd, limitUsd: budget.workUsd },
    { setting: "max_budget_per_day", usedUsd: today, limitUsd: budget.projectDayUsd },
    { setting: "budget.per_day", usedUsd: today + othersUsd, limitUsd: budget.allDayUsd }
  ] as const
  return all.flatMap(({ limitUsd, setting, usedUsd }) =>
    limitUsd === undefined ? [] : [{ setting, usedUsd, limitUsd }]
  )
}

/** The next answer costs about as much as those before it: with less left, a run would only be stopped. */
const answerUsd = ({ turns, usd }: WorkRecord): number => (turns === 0 ? 0 : usd / turns)

/** The limit that leaves too little for another answer; undefined when enough is left of each. */
export const usedUp = (plan: AgentPlan, work: WorkRecord, today: Today): UsedLimit | undefined =>
  used(plan, work, today).find(
    ({ limitUsd, usedUsd }) => usedUsd >= limitUsd || limitUsd - usedUsd < answerUsd(work)
  )

/** The limit that a running agent has reached. */
export const reached = (plan: AgentPlan, work: WorkRecord, today: Today): UsedLimit | undefined =>
  used(plan, work, today).find(({ limitUsd, usedUsd }) => usedUsd >= limitUsd)

/** The limits of the next run. */
export const allowance = (plan: AgentPlan, work: WorkRecord, today: Today): RunLimits => {
  const left = used(plan, work, today).map(({ limitUsd, usedUsd }) => limitUsd - usedUsd)
  return {
    usd: left.length === 0 ? undefined : Math.min(...left),
    turns: plan.maxTurns === undefined ? undefined : Math.max(0, plan.maxTurns - work.turns)
  }
}

/** From this share of a limit on, the daemon warns. */
const warningShare = 0.8

/** The mark of a warning: the daemon warns of a limit once, of a day's limit once each day. */
const markOf = ({ limitUsd, setting }: UsedLimit, { date }: Today): string =>
  setting === "max_budget" ? `${setting} ${limitUsd}` : `${setting} ${limitUsd} ${date}`

/** The limits of which the daemon is to warn now, and the work that remembers it. */
export const withWarnings = (
  plan: AgentPlan,
  work: WorkRecord,
  today: Today
): readonly [work: WorkRecord, near: ReadonlyArray<UsedLimit>] => {
  const near = used(plan, work, today).filter(
    (limit) => limit.usedUsd >= limit.limitUsd * warningShare && !work.warned.includes(markOf(limit, today))
  )
  return near.length === 0
    ? [work, near]
    : // A limit that was changed again and again does not fill the file.
      [{ ...work, warned: [...work.warned, ...near.map((limit) => markOf(limit, today))].slice(-8) }, near]
}
