import * as Schema from "effect/Schema"
import { microDollars } from "../text/Amounts.ts"
import { Count, field, MicroDollars, perhaps } from "../Wire.ts"
import type { AgentPlan } from "./AgentPlan.ts"
import { isCostExact, spentOn, type WorkRecord } from "./WorkRecord.ts"

/** The work of one project's agent. Amounts are millionths of a US dollar. */
const BudgetRow = Schema.Struct({
  name: field(Schema.String, "The name of the project"),
  work_cost_micro_usd: field(MicroDollars, "The cost of the work so far, over all its runs"),
  work_cost_is_exact: field(Schema.Boolean, "False where a part of the cost is an estimate"),
  work_turns: field(Count, "The answers of the agent in this work"),
  work_limit_micro_usd: perhaps(MicroDollars, "`max_budget` for the work. Absent without a limit"),
  work_limit_turns: perhaps(Count, "`max_turns` for the work. Absent without a limit"),
  day_cost_micro_usd: field(MicroDollars, "The cost of this day"),
  day_limit_micro_usd: perhaps(MicroDollars, "`max_budget_per_day`. Absent without a limit"),
  session_id: perhaps(Schema.String, "The session that the next run continues"),
  is_finished: field(Schema.Boolean, "The agent has finished: the next start begins another work")
})
export type BudgetRow = typeof BudgetRow.Type

/** The answer to Budget: the projects whose agent the daemon knows. */
export const BudgetData = Schema.Struct({
  day: field(Schema.String, "The day in the daemon's time zone: `2026-11-29`"),
  budgets: field(Schema.Array(BudgetRow), "The projects whose agent the daemon knows"),
  all_day_limit_micro_usd: perhaps(MicroDollars, "`budget.per_day`. Absent without a limit")
})
export type BudgetData = typeof BudgetData.Type

type LimitKey = "work_limit_micro_usd" | "day_limit_micro_usd" | "all_day_limit_micro_usd"

const limit = (key: LimitKey, usd: number | undefined): { readonly [K in LimitKey]?: number } =>
  usd === undefined ? {} : { [key]: microDollars(usd) }

const budgetRow = (name: string, plan: AgentPlan, work: WorkRecord, day: string): BudgetRow => ({
  name,
  work_cost_micro_usd: microDollars(work.usd),
  work_cost_is_exact: isCostExact(work),
  work_turns: work.turns,
  ...limit("work_limit_micro_usd", plan.budget.workUsd),
  ...(plan.maxTurns === undefined ? {} : { work_limit_turns: plan.maxTurns }),
  day_cost_micro_usd: microDollars(spentOn(work, day)),
  ...limit("day_limit_micro_usd", plan.budget.projectDayUsd),
  ...(work.session === undefined || !plan.resume ? {} : { session_id: work.session }),
  is_finished: work.isFinished
})

/** A project with its work; the plan is undefined where the agent is unknown. */
interface ProjectWork {
  readonly name: string
  readonly plan: AgentPlan | undefined
  readonly work: WorkRecord
}

/** The answer to Budget on a day (`2026-11-29`). */
export const budgetData = (projects: ReadonlyArray<ProjectWork>, day: string): BudgetData => ({
  day,
  budgets: projects.flatMap(({ name, plan, work }) =>
    plan === undefined ? [] : [budgetRow(name, plan, work, day)]
  ),
  ...limit(
    "all_day_limit_micro_usd",
    projects.map(({ plan }) => plan?.budget.allDayUsd).find((allDayUsd) => allDayUsd !== undefined)
  )
})
