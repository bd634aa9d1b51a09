import { counted, ofMicroDollars } from "../text/Amounts.ts"
import { aligned } from "../text/Table.ts"
import type { BudgetData, BudgetRow } from "./BudgetData.ts"

const ofLimit = (used: string, of: string | undefined): string =>
  of === undefined ? used : `${used} of ${of}`

const optional = (amount: number | undefined): string | undefined =>
  amount === undefined ? undefined : ofMicroDollars(amount)

const rowOf = (row: BudgetRow): ReadonlyArray<string> => [
  row.name,
  `${row.work_cost_is_exact ? "" : "about "}${ofLimit(ofMicroDollars(row.work_cost_micro_usd), optional(row.work_limit_micro_usd))}`,
  ofLimit(
    String(row.work_turns),
    row.work_limit_turns === undefined ? undefined : String(row.work_limit_turns)
  ),
  ofLimit(ofMicroDollars(row.day_cost_micro_usd), optional(row.day_limit_micro_usd)),
  row.is_finished ? "finished" : (row.session_id ?? "-")
]

/** The budgets as a table for people, ending in a newline. */
export const budgetText = ({ all_day_limit_micro_usd: allDay, budgets, day }: BudgetData): string => {
  if (budgets.length === 0) return "No project runs an agent that the daemon knows: nothing is counted.\n"
  const total = budgets.reduce((sum, row) => sum + row.day_cost_micro_usd, 0)
  return [
    ...aligned([["PROJECT", "WORK", "TURNS", "TODAY", "SESSION"], ...budgets.map(rowOf)]),
    `Today (${day}): ${ofLimit(ofMicroDollars(total), optional(allDay))} for ${counted(budgets.length, "project")}`
  ]
    .map((line) => `${line}\n`)
    .join("")
}
