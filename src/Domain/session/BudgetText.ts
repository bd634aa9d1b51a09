import { counted, ofMicroDollars } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import { type Column, tableLines } from "../text/Table.ts"
import type { BudgetData, BudgetRow } from "./BudgetData.ts"

const ofLimit = (used: string, of: string | undefined): string =>
  of === undefined ? used : `${used} of ${of}`

const optional = (amount: number | undefined): string | undefined =>
  amount === undefined ? undefined : ofMicroDollars(amount)

const columns: ReadonlyArray<Column<BudgetRow>> = [
  { heading: "PROJECT", cell: ({ name }) => printable(name) },
  {
    heading: "WORK",
    cell: (row) =>
      `${row.work_cost_is_exact ? "" : "about "}${ofLimit(ofMicroDollars(row.work_cost_micro_usd), optional(row.work_limit_micro_usd))}`
  },
  {
    heading: "TURNS",
    cell: ({ work_limit_turns: limit, work_turns: turns }) =>
      ofLimit(String(turns), limit === undefined ? undefined : String(limit))
  },
  {
    heading: "TODAY",
    cell: (row) => ofLimit(ofMicroDollars(row.day_cost_micro_usd), optional(row.day_limit_micro_usd))
  },
  {
    heading: "SESSION",
    cell: (row) => (row.is_finished ? "finished" : (row.session_id ?? "-")),
    isText: true,
    dropped: 1
  }
]

/** The budgets as a table for people, ending in a newline. `width` cuts it to the width of a terminal. */
export const budgetText = (
  { all_day_limit_micro_usd: allDay, budgets, day }: BudgetData,
  width?: number
): string => {
  if (budgets.length === 0) return "No project runs an agent that the daemon knows: nothing is counted.\n"
  const total = budgets.reduce((sum, row) => sum + row.day_cost_micro_usd, 0)
  return [
    ...tableLines(columns, budgets, width),
    `Today (${day}): ${ofLimit(ofMicroDollars(total), optional(allDay))} for ${counted(budgets.length, "project")}`
  ]
    .map((line) => `${line}\n`)
    .join("")
}
