import { assert, describe, it } from "@effect/vitest"
import type { CommandLine } from "../../../src/Domain/adapter/AgentAdapter.ts"
import type { AgentPlan } from "../../../src/Domain/session/AgentPlan.ts"
import type { Today } from "../../../src/Domain/session/Budget.ts"
import { startOf } from "../../../src/Domain/session/RunStart.ts"
import { noWork, type WorkRecord } from "../../../src/Domain/session/WorkRecord.ts"
import { claudePlan } from "../../fixtures/AgentPlans.ts"

const print = ["-p", "--output-format", "stream-json", "--verbose"]
const argv: CommandLine = ["/opt/claude-2", ...print, "--input-format", "stream-json"]
const today: Today = { date: "2026-11-29", othersUsd: 0 }
const id = "a31e5a58-f990-41a1-8586-0f99850fd417"

/** A work whose session has been begun. */
const begun: WorkRecord = { ...noWork, task: claudePlan.task, session: "s1", usd: 2, turns: 4 }

const start = (
  work: WorkRecord,
  { by = {}, of = argv, on = today }: { by?: Partial<AgentPlan>; of?: CommandLine; on?: Today } = {}
) => startOf(of, { plan: { ...claudePlan, ...by }, today: on }, work, id)

const runOf = (...given: Parameters<typeof start>) => {
  const started = start(...given)
  assert(started._tag === "Run", JSON.stringify(started))
  return started
}

const valueOf = (words: CommandLine, option: string): string | undefined =>
  words.includes(option) ? words[words.indexOf(option) + 1] : undefined

const sessionIn = (words: CommandLine) =>
  ["--session-id", "--resume"].flatMap((option) => {
    const value = valueOf(words, option)
    return value === undefined ? [] : [`${option} ${value}`]
  })

const budget = (more: Partial<AgentPlan["budget"]>): Partial<AgentPlan> => ({
  budget: { ...claudePlan.budget, ...more }
})

describe("the start of a run", () => {
  it("of a worker that is no known agent is its command as it stands", () => {
    const started = startOf(["make", "all"], undefined, noWork, id)
    assert.deepStrictEqual(started, {
      _tag: "Run",
      argv: ["make", "all"],
      work: noWork,
      continued: undefined,
      prompt: undefined
    })
  })

  it("begins a session under the daemon's id, which the work knows before the agent has said a word", () => {
    const { continued, prompt, work, ...first } = runOf(noWork)
    assert.deepStrictEqual(sessionIn(first.argv), [`--session-id ${id}`])
    assert.strictEqual(first.argv[0], "/opt/claude-2")
    assert.deepStrictEqual([continued, prompt], [undefined, claudePlan.prompt])
    assert.deepInclude(work, { session: id, task: 1, resumes: 0, fruitless: 1, usd: 0, turns: 0 })
    assert.deepStrictEqual(work.run, { start: "fresh", usd: 0, turns: 0, isExact: true })
  })

  it("continues the session with the prompt that says so, and counts what the work has used before", () => {
    const { continued, prompt, work, ...next } = runOf(begun)
    assert.deepStrictEqual(sessionIn(next.argv), ["--resume s1"])
    assert.deepStrictEqual([continued, prompt], ["s1", { text: "Go on." }])
    assert.deepInclude(work, { session: "s1", resumes: 1, fruitless: 1, usd: 2, turns: 4 })
    assert.deepStrictEqual(work.run, { start: "resumed", usd: 0, turns: 0, isExact: true })
  })

  it("puts the prompt that continues into the command line of an agent that has it there", () => {
    const { prompt, ...next } = runOf(begun, {
      by: { prompt: undefined },
      of: ["claude", ...print, "do the work"]
    })
    assert.isUndefined(prompt)
    assert.deepStrictEqual(next.argv, ["claude", "--resume", "s1", ...print, "Go on."])
  })

  it.each<readonly [string, Partial<WorkRecord>, Partial<AgentPlan>]>([
    ["after resume_attempts runs without a finished answer", { resumes: 3 }, {}],
    ["for another prompt", {}, { task: 2 }],
    ["after the agent has finished", { isFinished: true }, {}]
  ])("begins a new session %s", (_, of, by) => {
    const { continued, prompt, work, ...next } = runOf({ ...begun, ...of }, { by })
    assert.deepStrictEqual(sessionIn(next.argv), [`--session-id ${id}`])
    assert.deepStrictEqual([continued, prompt], [undefined, claudePlan.prompt])
    assert.deepInclude(work, { session: id, resumes: 0, task: by.task ?? 1 })
  })

  it("names no session with resume = false", () => {
    const { work, ...next } = runOf(begun, { by: { resume: false } })
    assert.deepStrictEqual(sessionIn(next.argv), [])
    assert.isUndefined(work.session)
    assert.strictEqual(work.run?.start, "plain")
  })

  it.each([["--session-id", "own"], ["--resume", "own"], ["--continue"]])(
    "leaves the session that the user's own arguments choose alone at first, then continues what came of it: %s",
    (...own) => {
      const of: CommandLine = [...argv, ...own]
      const first = runOf(noWork, { of })
      assert.deepStrictEqual(first.argv, of)
      assert.isUndefined(first.work.session)
      const next = runOf(begun, { of })
      assert.deepStrictEqual(sessionIn(next.argv), ["--resume s1"])
      assert.notInclude(next.argv, "--continue")
    }
  )

  it("keeps the user's own new session in mind, which may exist already", () => {
    assert.strictEqual(claudePlan.adapter.ownSession?.([...argv, "--session-id", "own"]), "own")
    assert.isUndefined(claudePlan.adapter.ownSession?.([...argv, "--resume", "own"]))
  })

  it("begins another work after the agent has finished, on the same day", () => {
    const day = { date: today.date, usd: 2 }
    const { work } = runOf({
      ...begun,
      day,
      isFinished: true,
      warned: ["max_budget 5"],
      isExact: false
    })
    assert.deepInclude(work, { usd: 0, turns: 0, day, isFinished: false, warned: [], isExact: true })
  })

  it("remembers that the cost of an earlier run is an estimate", () => {
    const run = { usd: 1, turns: 1, isExact: false, start: "fresh" as const }
    assert.isFalse(runOf({ ...begun, run }).work.isExact)
    assert.isTrue(runOf({ ...begun, run: { ...run, isExact: true } }).work.isExact)
  })
})

describe("what a run may use", () => {
  it("is what is left of the budget and the turns of the work", () => {
    const { argv: words } = runOf(begun, { by: { ...budget({ workUsd: 5 }), maxTurns: 10 } })
    assert.strictEqual(valueOf(words, "--max-budget-usd"), "3")
    assert.strictEqual(valueOf(words, "--max-turns"), "6")
  })

  it("replaces the limits of the user's own arguments, which are for the work too", () => {
    const of: CommandLine = [...argv, "--max-budget-usd", "5", "--max-turns=10"]
    const { argv: words } = runOf(begun, { by: { ...budget({ workUsd: 5 }), maxTurns: 10 }, of })
    assert.deepStrictEqual(
      words.filter((word) => word.startsWith("--max-")),
      ["--max-budget-usd", "--max-turns"]
    )
    assert.strictEqual(valueOf(words, "--max-budget-usd"), "3")
  })

  it("is the least of what is left of the work, of the project's day and of the day of all", () => {
    const work = { ...begun, day: { date: today.date, usd: 1 } }
    const left = (more: Partial<AgentPlan["budget"]>, on = today) =>
      valueOf(runOf(work, { by: budget(more), on }).argv, "--max-budget-usd")
    assert.strictEqual(left({ workUsd: 50, projectDayUsd: 4 }), "3")
    assert.strictEqual(left({ workUsd: 50, projectDayUsd: 4 }, { date: "2026-11-30", othersUsd: 0 }), "4")
    assert.strictEqual(left({ allDayUsd: 40, projectDayUsd: 20 }, { ...today, othersUsd: 30 }), "9")
    assert.isUndefined(left({}))
  })

  it.each<readonly [string, Partial<AgentPlan["budget"]>, Partial<WorkRecord>]>([
    ["max_budget", { workUsd: 2 }, {}],
    // An answer has cost $0.50 so far.
    ["max_budget", { workUsd: 2.49 }, {}],
    ["max_budget_per_day", { projectDayUsd: 3, workUsd: 9 }, { day: { date: today.date, usd: 2.75 } }],
    ["budget.per_day", { allDayUsd: 8 }, { day: { date: today.date, usd: 1 } }]
  ])("is nothing when less is left than an answer has cost: %s", (setting, limits, of) => {
    const work = { ...begun, ...of }
    const refused = start(work, { by: budget(limits), on: { ...today, othersUsd: 6.6 } })
    assert(refused._tag === "Refused")
    assert(refused.verdict.kind === "budget")
    assert.strictEqual(refused.verdict.usage?.setting, setting)
    assert.deepStrictEqual(refused.work, work, "a start that is refused changes nothing")
  })

  it("is enough with exactly an answer's cost left, and on the next day", () => {
    assert.strictEqual(start(begun, { by: budget({ workUsd: 2.5 }) })._tag, "Run")
    const work = { ...begun, day: { date: "2026-11-28", usd: 100 } }
    assert.strictEqual(start(work, { by: budget({ projectDayUsd: 1 }) })._tag, "Run")
  })

  it("is nothing without a turn left", () => {
    const refused = start(begun, { by: { maxTurns: 4 } })
    assert.deepInclude(refused, { _tag: "Refused", verdict: { kind: "max-turns", turns: 4 } })
  })

  it("is whole again for the work that follows a finished one", () => {
    const { argv: words } = runOf({ ...begun, isFinished: true }, { by: budget({ workUsd: 2 }) })
    assert.strictEqual(valueOf(words, "--max-budget-usd"), "2")
  })
})
