import { assert, describe, it } from "@effect/vitest"
import type { AgentPlan } from "../../../src/Domain/session/AgentPlan.ts"
import { reached, type Today, usedUp, withWarnings } from "../../../src/Domain/session/Budget.ts"
import { isBelievableWork, noWork, spentOn, type WorkRecord } from "../../../src/Domain/session/WorkRecord.ts"
import { describeUsed, waysOn } from "../../../src/Domain/verdict/UsedLimit.ts"
import { claudePlan } from "../../fixtures/AgentPlans.ts"

const today: Today = { date: "2026-11-29", othersUsd: 10 }
const tomorrow: Today = { date: "2026-11-30", othersUsd: 0 }

const plan = (budget: Partial<AgentPlan["budget"]>): AgentPlan => ({
  ...claudePlan,
  budget: { ...claudePlan.budget, ...budget }
})

const spent = (usd: number, { date } = today): WorkRecord => ({ ...noWork, usd, day: { date, usd } })

describe("a limit of spending", () => {
  it("is warned of once from 80 % on, and again when it is changed", () => {
    const by = plan({ workUsd: 10 })
    assert.deepStrictEqual(withWarnings(by, spent(7.99), today)[1], [])
    const [work, near] = withWarnings(by, spent(8), today)
    assert.deepStrictEqual(near, [{ setting: "max_budget", usedUsd: 8, limitUsd: 10 }])
    assert.deepStrictEqual(withWarnings(by, { ...work, usd: 9.9 }, tomorrow), [{ ...work, usd: 9.9 }, []])
    assert.lengthOf(withWarnings(plan({ workUsd: 9 }), work, today)[1], 1)
  })

  it("of a day is warned of once each day", () => {
    const by = plan({ projectDayUsd: 5, allDayUsd: 15 })
    const [work, near] = withWarnings(by, spent(5), today)
    assert.deepStrictEqual(
      near.map(({ setting, usedUsd }) => [setting, usedUsd]),
      [
        ["max_budget_per_day", 5],
        ["budget.per_day", 15]
      ]
    )
    assert.deepStrictEqual(withWarnings(by, work, today)[1], [])
    assert.deepStrictEqual(withWarnings(by, work, tomorrow)[1], [], "a new day begins with nothing spent")
    const next = { ...work, day: { date: tomorrow.date, usd: 4 } }
    assert.lengthOf(withWarnings(by, next, tomorrow)[1], 1)
  })

  it("that is changed all the time does not fill the state file with warnings", () => {
    let work = spent(100)
    for (let limit = 1; limit < 50; limit++) [work] = withWarnings(plan({ workUsd: limit }), work, today)
    assert.isAtMost(work.warned.length, 8)
  })

  it("is reached at its amount, and used up for a next run before", () => {
    const by = plan({ workUsd: 10 })
    const work = { ...spent(9), turns: 6 }
    assert.isUndefined(reached(by, work, today))
    assert.strictEqual(usedUp(by, work, today)?.setting, "max_budget")
    assert.strictEqual(reached(by, spent(10), today)?.setting, "max_budget")
    assert.isUndefined(usedUp(by, { ...work, turns: 9 }, today))
    assert.isUndefined(usedUp(plan({}), spent(1e6), today), "without limits nothing is used up")
  })

  it("names the spending and the two ways on", () => {
    const usage = { setting: "max_budget", usedUsd: 4.1, limitUsd: 5 } as const
    assert.strictEqual(describeUsed(usage), "the work has spent $4.10 of max_budget ($5.00)")
    assert.strictEqual(
      waysOn(usage.setting),
      "Raise max_budget (autopilotd config set max_budget NUMBER, then: autopilotd reload), or begin another work with `autopilotd budget reset`; then run: autopilotd start-worker"
    )
    assert.include(waysOn("budget.per_day"), "wait until tomorrow")
  })
})

describe("a work record from a file", () => {
  it.each<Partial<WorkRecord>>([
    { usd: -1 },
    { usd: Number.POSITIVE_INFINITY },
    { usd: Number.NaN },
    { usd: 1e12 },
    { turns: -1 },
    { fruitless: 2e9 },
    { resumes: 2e9 },
    { day: { date: "2026-11-29", usd: -0.01 } },
    { run: { start: "fresh", usd: Number.POSITIVE_INFINITY, turns: 0, isExact: true } },
    { run: { start: "fresh", usd: 0, turns: -4, isExact: true } }
  ])("that no daemon has written is not believed: %j", (more) => {
    assert.isFalse(isBelievableWork({ ...noWork, ...more }))
  })

  it("that a daemon has written is", () => {
    const run = { start: "resumed", usd: 1, turns: 2, isExact: false } as const
    assert.isTrue(isBelievableWork({ ...spent(300), turns: 900, run }))
    assert.isTrue(isBelievableWork(noWork))
  })

  it("has spent nothing on another day", () => {
    assert.strictEqual(spentOn(spent(3), today.date), 3)
    assert.strictEqual(spentOn(spent(3), tomorrow.date), 0)
    assert.strictEqual(spentOn(noWork, today.date), 0)
  })
})
