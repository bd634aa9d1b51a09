import { assert, describe, it } from "@effect/vitest"
import { type AgentSeen, noAgent } from "../../../src/Domain/agent/AgentSeen.ts"
import type { AgentPlan } from "../../../src/Domain/session/AgentPlan.ts"
import { startOf } from "../../../src/Domain/session/RunStart.ts"
import { afterNoStart, afterRun, withProgress } from "../../../src/Domain/session/WorkProgress.ts"
import { noWork, type WorkRecord } from "../../../src/Domain/session/WorkRecord.ts"
import type { Verdict } from "../../../src/Domain/verdict/ExitVerdict.ts"
import { agentWith, claudePlan, resultAt } from "../../fixtures/AgentPlans.ts"
import { agentAfter, recordedLines } from "../../fixtures/RecordedRuns.ts"

const date = "2026-11-29"

const started = (work: WorkRecord, by: Partial<AgentPlan> = {}): WorkRecord =>
  startOf(
    ["claude", "-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"],
    { plan: { ...claudePlan, ...by }, today: { date, othersUsd: 0 } },
    work,
    "s1"
  ).work

const begun = (more: Partial<WorkRecord> = {}): WorkRecord => ({ ...started(noWork), ...more })

const resumed = (resumes = 1): WorkRecord => {
  const work = started({ ...begun(), resumes: resumes - 1 })
  assert.strictEqual(work.run?.start, "resumed")
  return work
}

describe("what a run has used", () => {
  it("is counted once, however often it is told", () => {
    const seen = agentWith({ usd: 1.5, turns: 3, sessionId: "s1" })
    const once = withProgress(begun(), seen, date)
    assert.deepInclude(once, { usd: 1.5, turns: 3, day: { date, usd: 1.5 } })
    assert.deepStrictEqual(withProgress(once, seen, date), once)
    const more = withProgress(once, agentWith({ usd: 2, turns: 4 }), date)
    assert.deepInclude(more, { usd: 2, turns: 4, day: { date, usd: 2 } })
  })

  it("is added to what the runs before have used, also when those were killed", () => {
    const killed = withProgress(begun(), agentWith({ usd: 1, turns: 2, isExact: false }), date)
    const again = withProgress(started(killed), agentWith({ usd: 0.5, turns: 1 }), date)
    assert.deepInclude(again, { usd: 1.5, turns: 3, isExact: false })
  })

  it("is corrected downwards when an estimate was too high, and never below nothing", () => {
    const high = withProgress(begun({ usd: 1, turns: 1 }), agentWith({ usd: 3, turns: 4 }), date)
    const right = withProgress(high, agentWith({ usd: 2, turns: 4 }), date)
    assert.deepInclude(right, { usd: 3, turns: 5, day: { date, usd: 2 } })
    assert.deepInclude(withProgress(right, noAgent, date), { usd: 1, turns: 1, day: { date, usd: 0 } })
  })

  it("belongs to the day on which it was told, before and after midnight in the same run", () => {
    const evening = withProgress(begun(), agentWith({ usd: 3, turns: 1 }), date)
    const night = withProgress(evening, agentWith({ usd: 5, turns: 2 }), "2026-11-30")
    assert.deepInclude(night, { usd: 5, day: { date: "2026-11-30", usd: 2 } })
  })

  it("is nothing that a work without a run could have used", () => {
    assert.strictEqual(withProgress(noWork, agentWith({ usd: 1, turns: 1 }), date), noWork)
  })

  it("names the session that the agent has chosen, and an answer clears the runs without one", () => {
    const waiting = { ...resumed(2), fruitless: 4 }
    assert.deepInclude(withProgress(waiting, agentWith({ sessionId: "s2" }), date), {
      session: "s2",
      resumes: 2,
      fruitless: 4
    })
    assert.deepInclude(withProgress(waiting, agentWith({ turns: 1 }), date), {
      session: "s1",
      resumes: 0,
      fruitless: 0
    })
  })

  it.each<readonly [string, ReadonlyArray<string>, number]>([
    ["2.1.197", ["resume-0-first-run", "resume-1-resumed", "resume-2-continued", "resume-3-forked"], 0.225],
    ["2.1.332", ["resume-0-first-run", "resume-1-resumed", "resume-2-continued", "resume-3-forked"], 0.15],
    ["2.1.197", ["stream-input-interrupt", "kill9-1-resumed"], 0.0525],
    ["2.1.332", ["stream-input-interrupt", "kill9-1-resumed"], 0.035]
  ])("sums up over recorded runs of %s: %j", (version, runs, usd) => {
    const seen = runs.map((run) => agentAfter(recordedLines(`claude-${version}/${run}`)))
    const work = seen.reduce((before, run) => withProgress(started(before), run, date), noWork)
    assert.approximately(work.usd, usd, 1e-9)
    assert.strictEqual(
      work.turns,
      seen.reduce((sum, { turns }) => sum + turns, 0)
    )
  })
})

const crash: Verdict = { kind: "crash", exit: { code: 1, signal: null }, tail: [] }
const outOfMemory: Verdict = { kind: "out-of-memory", by: "heap", says: "heap" }
const tooLong: Verdict = { kind: "context-full", says: "Prompt is too long" }

const ended = (
  work: WorkRecord,
  verdict: Verdict,
  {
    lastLines = [],
    plan = {},
    seen = noAgent,
    uptimeMs = 90_000
  }: {
    lastLines?: ReadonlyArray<string>
    plan?: Partial<AgentPlan>
    seen?: AgentSeen
    uptimeMs?: number
  } = {}
) => {
  const exit = { code: 1, signal: null }
  return afterRun({ ...claudePlan, ...plan }, work, verdict, uptimeMs, { exit, seen, lastLines })
}

describe("the end of a run", () => {
  it("keeps the session after a crash, and drops it after resume_attempts runs without an answer", () => {
    assert.strictEqual(ended(begun(), crash).work.session, "s1")
    assert.strictEqual(ended(resumed(2), crash).work.session, "s1")
    const { dropped, work } = ended(resumed(3), crash)
    assert.strictEqual(dropped, "3 runs in a row continued it without a finished answer")
    assert.isUndefined(work.session)
    assert.strictEqual(work.resumes, 0)
  })

  it("drops a session that the API rejects, that is too long, or that memory does not hold", () => {
    const error = resultAt(0, { isError: true, apiErrorStatus: 400 })
    const rejected = ended(resumed(), crash, { seen: { ...noAgent, result: error } })
    assert.strictEqual(rejected.dropped, "the API rejects it")
    assert.strictEqual(
      ended(resumed(), outOfMemory, { uptimeMs: 20_000 }).dropped,
      "it ran out of memory right after it was loaded"
    )
    assert.isUndefined(ended(resumed(), outOfMemory).dropped)
    assert.isUndefined(ended(begun(), outOfMemory, { uptimeMs: 20_000 }).dropped, "it was loaded by nobody")
    const full = ended(resumed(), tooLong)
    assert.strictEqual(full.dropped, "it exceeded the context of the model")
    assert.isTrue(full.isOvercome)
    for (const { work } of [rejected, full]) assert.isUndefined(work.session)
  })

  it("tells a session that has grown too long from a prompt that is too long for any", () => {
    const grown = withProgress(begun({ turns: 9 }), agentWith({ turns: 2 }), date)
    assert.isTrue(ended(grown, tooLong).isOvercome)
    assert.deepInclude(ended(begun({ turns: 9 }), tooLong), { dropped: undefined, isOvercome: false })
  })

  it("is no failure where the agent does not know our session any more", () => {
    const lastLines = ["No conversation found with session ID: s1"]
    const unknown = ended(resumed(), { kind: "bad-arguments", says: lastLines[0] ?? "" }, { lastLines })
    assert.isTrue(unknown.isRefused)
    assert.isUndefined(unknown.work.session)
    assert.isFalse(ended(begun(), crash, { lastLines }).isRefused, "the user's own --resume of nothing")
  })

  it("is no failure where the user's own session exists already: the next run continues it", () => {
    const lastLines = ["Error: Session ID own is already in use."]
    const plan = { ownSession: "own" }
    const { isRefused, work } = ended(begun(), crash, { lastLines, plan })
    assert.isTrue(isRefused)
    assert.strictEqual(work.session, "own")
    assert.isFalse(ended(begun(), crash, { lastLines }).isRefused)
    assert.isFalse(ended(begun(), crash, { lastLines, plan: { ...plan, resume: false } }).isRefused)
  })

  it.each<Verdict>([
    { kind: "usage-limit", says: "You've hit your limit" },
    { kind: "overloaded", says: "Overloaded" },
    { kind: "killed-by-us", reason: "restarted by command" }
  ])("counts against neither the session nor the worker when its cause lies elsewhere: $kind", (verdict) => {
    let work: WorkRecord = { ...resumed(), resumes: 0, fruitless: 0 }
    for (let run = 0; run < 20; run++) work = ended(started(work), verdict).work
    assert.deepInclude(work, { session: "s1", resumes: 0, fruitless: 0 })
  })

  it("that says done clears the session, and the next run begins another work", () => {
    const { work } = ended(begun({ usd: 2, turns: 3 }), { kind: "done" })
    assert.isUndefined(work.session)
    assert.isTrue(work.isFinished)
    assert.deepInclude(started(work), { usd: 0, turns: 0, isFinished: false })
  })

  it("at the limit that the run was given is overcome when that is no limit any more", () => {
    const run = withProgress(begun(), agentWith({ usd: 3, turns: 2 }), date)
    const budget = { ...claudePlan.budget, projectDayUsd: 3 }
    assert.isTrue(ended(run, { kind: "budget", costUsd: 3 }, { plan: { budget } }).isOvercome, "midnight")
    assert.isFalse(ended(run, { kind: "budget", costUsd: 3 }).isOvercome, "a limit of the agent's own")
    assert.isFalse(ended(begun(), { kind: "budget" }, { plan: { budget } }).isOvercome, "it spent nothing")
    const usage = { setting: "max_budget_per_day", usedUsd: 3, limitUsd: 3 } as const
    assert.isFalse(ended(run, { kind: "budget", usage }, { plan: { budget } }).isOvercome)
  })
})

describe("a run that did not start", () => {
  it("has neither begun nor tried to continue a session", () => {
    assert.deepStrictEqual(afterNoStart(started(noWork)), { ...noWork, task: 1 })
    const before = { ...begun(), resumes: 1, fruitless: 2 }
    const { run: _, ...expected } = before
    assert.deepStrictEqual(afterNoStart(started(before)), expected)
    assert.strictEqual(afterNoStart(noWork), noWork)
  })
})
