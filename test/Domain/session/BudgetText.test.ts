import { assert, describe, it } from "@effect/vitest"
import { ProjectName } from "../../../src/Domain/Project.ts"
import type { BudgetData } from "../../../src/Domain/session/BudgetData.ts"
import { budgetText } from "../../../src/Domain/session/BudgetText.ts"

const data: BudgetData = {
  day: "2026-11-29",
  all_day_limit_micro_usd: 50_000_000,
  budgets: [
    {
      name: ProjectName.make("shop"),
      work_cost_micro_usd: 12_340_000,
      work_cost_is_exact: false,
      work_limit_micro_usd: 300_000_000,
      work_turns: 120,
      work_limit_turns: 99_999,
      day_cost_micro_usd: 2_000_000,
      day_limit_micro_usd: 20_000_000,
      session_id: "f3723595-82cc-4f13-88fc-36ea0d382125",
      is_finished: false
    },
    {
      name: ProjectName.make("blog"),
      work_cost_micro_usd: 0,
      work_cost_is_exact: true,
      work_turns: 0,
      day_cost_micro_usd: 0,
      is_finished: true
    }
  ]
}

describe("the text of autopilotd budget show", () => {
  it("has a row for each project with what it used, its limits and its session, and the sum of the day", () => {
    assert.deepStrictEqual(budgetText(data).split("\n"), [
      "PROJECT  WORK                     TURNS         TODAY            SESSION",
      "shop     about $12.34 of $300.00  120 of 99999  $2.00 of $20.00  f3723595-82cc-4f13-88fc-36ea0d382125",
      "blog     $0.00                    0             $0.00            finished",
      "Today (2026-11-29): $2.00 of $50.00 for 2 projects",
      ""
    ])
  })

  it("fits the terminal: it cuts the session, or leaves it out", () => {
    for (const width of [120, 97, 70])
      for (const line of budgetText(data, width).split("\n")) assert.isAtMost(line.length, width, line)
    assert.include(budgetText(data, 120), "f3723595-82cc-4f13-88fc-36ea0d382125")
    assert.match(budgetText(data, 97), /f3723595-82cc-4f13-88fc-36ea0d3…\n/)
    assert.notInclude(budgetText(data, 70), "f3723595")
  })
})
