import { assert, describe, it } from "@effect/vitest"
import { gemini } from "../../../src/Domain/adapter/GeminiAdapter.ts"
import { type AgentSeen, noAgent } from "../../../src/Domain/agent/AgentSeen.ts"
import { unnamed } from "../../../src/Domain/Project.ts"
import type { AgentPlan } from "../../../src/Domain/session/AgentPlan.ts"
import type { Today } from "../../../src/Domain/session/Budget.ts"
import { startOf } from "../../../src/Domain/session/RunStart.ts"
import { noWork, type WorkRecord } from "../../../src/Domain/session/WorkRecord.ts"
import type { Verdict } from "../../../src/Domain/verdict/ExitVerdict.ts"
import type { RunEvidence } from "../../../src/Domain/verdict/WorkerEnd.ts"
import { afresh, emptyState, resume, savedStateOf } from "../../../src/Domain/worker/SavedState.ts"
import type { PublishedEvent, WorkerAction, WorkerRules } from "../../../src/Domain/worker/WorkerEvent.ts"
import {
  initial,
  Phase,
  reason,
  statusWord,
  type WorkerState
} from "../../../src/Domain/worker/WorkerState.ts"
import { step } from "../../../src/Domain/worker/WorkerStep.ts"
import type { Step } from "../../../src/Domain/worker/WorkerTransition.ts"
import { agentWith, claudePlan, resultAt } from "../../fixtures/AgentPlans.ts"
import { defaultPolicy } from "../../fixtures/policies.ts"
import { noEvidence } from "../../fixtures/RunEvidence.ts"

const nowMs = Date.parse("2026-11-29T10:00:00Z")
const today: Today = { date: "2026-11-29", othersUsd: 0 }

const rulesOf = (
  agent: Partial<AgentPlan> = {},
  restart: Partial<WorkerRules["restart"]> = {}
): WorkerRules => ({
  project: unnamed,
  restart: { ...defaultPolicy, ...restart },
  agent: { ...claudePlan, ...agent }
})
const rules = rulesOf()

const dollars = (more: Partial<AgentPlan["budget"]>): Partial<AgentPlan> => ({
  budget: { ...claudePlan.budget, ...more }
})

const print = ["-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"]

const begin = (by: WorkerRules, work: WorkRecord) =>
  startOf(["claude", ...print], by.agent && { plan: by.agent, today }, work, "new session")

/** A run of this work that begins with the next start. */
const running = (work: WorkRecord = noWork, by = rules): WorkerState => ({
  ...initial,
  epoch: 4,
  wanted: "up",
  work: begin(by, work).work,
  phase: Phase.Running({ epoch: 4, pid: 100 })
})

const session: WorkRecord = { ...noWork, task: claudePlan.task, session: "s1" }

const progress = (by: WorkerRules, state: WorkerState, seen: AgentSeen, on = today): Step =>
  step(by, state, { _tag: "Progress", epoch: state.epoch, seen, today: on, nowMs })

/** The process exits, and its tree is gone. */
const end = (
  by: WorkerRules,
  state: WorkerState,
  agent: AgentSeen,
  {
    evidence = {},
    code = 1,
    uptimeMs = 90_000
  }: { evidence?: Partial<RunEvidence>; code?: number; uptimeMs?: number } = {}
): Step => {
  const { epoch } = state
  const [exited] = step(by, state, { _tag: "Exited", epoch, exit: { code, signal: null }, uptimeMs })
  return step(by, exited, { _tag: "Down", epoch, seen: { ...noEvidence, nowMs, agent, ...evidence }, today })
}

/** Fires its timers, and starts it as the actor does; returns what the next run would be. */
const next = (by: WorkerRules, state: WorkerState): WorkerState => {
  const due =
    state.phase._tag === "Starting" ? state : step(by, state, { _tag: "Due", epoch: state.epoch })[0]
  assert.strictEqual(statusWord(due), "starting", reason(due))
  const start = begin(by, due.work)
  assert.strictEqual(start._tag, "Run")
  return step(by, { ...due, work: start.work }, { _tag: "Spawned", epoch: due.epoch, pid: 101 })[0]
}

const published = (actions: ReadonlyArray<WorkerAction>): ReadonlyArray<PublishedEvent> =>
  actions.flatMap((action) => (action._tag === "Publish" ? [action.event] : []))

const verdictIn = (actions: ReadonlyArray<WorkerAction>): Verdict | undefined =>
  published(actions)
    .flatMap((event) => (event._tag === "WorkerEnded" ? [event.verdict] : []))
    .at(0)

const tags = (actions: ReadonlyArray<WorkerAction>) => published(actions).map(({ _tag }) => _tag)

describe("an agent that exits before its first line", () => {
  it("is judged by its exit code, which the daemon knows from the command line", () => {
    const by = rulesOf({ adapter: gemini, prompt: undefined })
    const [after, told] = end(by, running(noWork, by), noAgent, { code: 41, uptimeMs: 2000 })
    assert.deepStrictEqual(verdictIn(told), { kind: "auth", says: "Gemini CLI exited with code 41" })
    assert.strictEqual(statusWord(after), "failed")
  })
})

describe("what a running agent reports", () => {
  it("is added to its work, warned of at 80 % of the budget, and left to the agent at its end", () => {
    const by = rulesOf(dollars({ workUsd: 5 }))
    const [near, told] = progress(by, running(noWork, by), agentWith({ usd: 4, turns: 8, isExact: false }))
    assert.deepInclude(near.work, { usd: 4, turns: 8, fruitless: 0 })
    assert.deepStrictEqual(published(told), [
      {
        _tag: "BudgetNearlySpent",
        project: unnamed,
        usage: { setting: "max_budget", usedUsd: 4, limitUsd: 5 },
        isExact: false
      }
    ])
    const [over, silent] = progress(by, near, agentWith({ usd: 5.5, turns: 9 }))
    assert.deepStrictEqual([statusWord(over), silent], ["running", []])
  })

  it("ends it at the limit of a day, which no agent knows, with the verdict budget and the ways on", () => {
    const by = rulesOf(dollars({ projectDayUsd: 2, workUsd: 9 }))
    const [stopping, asked] = progress(by, running(noWork, by), agentWith({ usd: 2, turns: 4 }))
    assert.strictEqual(statusWord(stopping), "stopping")
    assert.include(
      asked.map(({ _tag }) => _tag),
      "EndTree"
    )
    assert.include(tags(asked), "AgentStopped")
    const [failed, actions] = end(by, stopping, agentWith({ usd: 2.1, turns: 5 }), { code: 143 })
    const usage = { setting: "max_budget_per_day", usedUsd: 2, limitUsd: 2 } as const
    assert.deepStrictEqual(verdictIn(actions), { kind: "budget", usage })
    assert.strictEqual(statusWord(failed), "failed")
    assert.strictEqual(
      reason(failed),
      "used up its budget: the project has spent today $2.00 of max_budget_per_day ($2.00). " +
        "Raise max_budget_per_day (autopilotd config set max_budget_per_day NUMBER, then: autopilotd reload), or wait until tomorrow; then run: autopilotd start-worker"
    )
    assert.deepInclude(failed.work, { usd: 2.1, session: "new session" })
  })

  it("of the other projects counts for the day of all", () => {
    const by = rulesOf(dollars({ allDayUsd: 10 }))
    const [stopping] = progress(by, running(noWork, by), agentWith({ usd: 2, turns: 4 }), {
      ...today,
      othersUsd: 8
    })
    assert.strictEqual(statusWord(stopping), "stopping")
  })

  it("ends it when it has waited for its background tasks for linger_ms, and that is done", () => {
    const by = rulesOf({ lingerMs: 60_000 })
    const lingering = (forMs: number) =>
      agentWith({ usd: 1, turns: 3, result: resultAt(nowMs - forMs, { turns: 3 }) })
    const [waits] = progress(by, running(session, by), lingering(59_999))
    assert.strictEqual(statusWord(waits), "running")
    const [stopping, actions] = progress(by, waits, lingering(60_000))
    assert.deepInclude(published(actions)[0], {
      _tag: "AgentStopped",
      reason: "it has finished, and has waited for its background tasks for 1 minute (agent.linger_ms)"
    })
    const [state, ended] = end(by, stopping, lingering(65_000), { code: 143 })
    assert.strictEqual(verdictIn(ended)?.kind, "done")
    assert.strictEqual(statusWord(state), "stopped")
    assert.isTrue(state.work.isFinished)
    assert.isUndefined(state.work.session)
  })

  it("leaves its session, turns and cost after the end, over a run that tells nothing and a restart of the daemon", () => {
    const told = agentWith({ usd: 1, turns: 3, sessionId: "s1" })
    const [crashed] = end(rules, running(session), told)
    assert.deepInclude(crashed.lastAgent, { sessionId: "s1", turns: 3, costUsd: 1 })
    const [again] = end(rules, next(rules, crashed), noAgent)
    assert.deepInclude(again.lastAgent, { sessionId: "s1", turns: 3 })
    const saved = savedStateOf(again, null)
    assert.deepInclude(resume(rules, saved, nowMs)[0].lastAgent, { sessionId: "s1", turns: 3 })
    assert.deepInclude(resume(rules, afresh(saved), nowMs)[0].lastAgent, { sessionId: "s1" })
    const leaving = { ...again, leaving: "the daemon stops" }
    assert.deepInclude(savedStateOf(leaving, null, undefined, emptyState).agent, { sessionId: "s1" })
    const plain = { project: unnamed, restart: defaultPolicy }
    assert.isUndefined(end(plain, next(rules, crashed), noAgent)[0].lastAgent, "another worker is no agent")
  })

  it("after its end, or of another run, changes nothing", () => {
    const state = running()
    const [exited] = step(rules, state, {
      _tag: "Exited",
      epoch: 4,
      exit: { code: 1, signal: null },
      uptimeMs: 1
    })
    const seen = agentWith({ usd: 1, turns: 1 })
    for (const [from, epoch] of [
      [exited, 4],
      [state, 3]
    ] as const)
      assert.deepStrictEqual(step(rules, from, { _tag: "Progress", epoch, seen, today, nowMs }), [from, []])
  })
})

describe("the end of an agent", () => {
  it("by itself with success is finished: a start by a user begins another work", () => {
    const seen = agentWith({ usd: 1, turns: 3, result: resultAt(nowMs) })
    const [state] = end(rules, running(session), seen, { code: 0 })
    assert.deepStrictEqual([statusWord(state), state.wanted], ["stopped", "down"])
    const [again] = step(rules, state, { _tag: "Command", command: "start", ticket: 1 })
    assert.deepInclude(begin(rules, again.work).work, { usd: 0, turns: 0, session: "new session" })
  })

  it("with success begins another work each time under `always`, with the whole budget and all turns", () => {
    const by = rulesOf({ ...dollars({ workUsd: 5 }), maxTurns: 6 }, { policy: "always" })
    let state = running(noWork, by)
    for (let run = 0; run < 5; run++) {
      const seen = agentWith({ usd: 4, turns: 6, result: resultAt(nowMs) })
      ;[state] = end(by, state, seen, { code: 0 })
      state = next(by, state)
    }
    assert.strictEqual(state.work.day?.usd, 20)
  })

  it("by a crash keeps its session and what it has used, for the run after the backoff", () => {
    const [state, actions] = end(rules, running(), agentWith({ usd: 1, turns: 3, sessionId: "s9" }))
    assert.strictEqual(statusWord(state), "restarting")
    assert.notInclude(tags(actions), "SessionDropped")
    assert.deepInclude(next(rules, state).work, { usd: 1, turns: 3, session: "s9", resumes: 1 })
  })

  it("with a full context starts anew, told as such, instead of waiting for a user", () => {
    const result = resultAt(nowMs, { isError: true, text: "Prompt is too long" })
    const full = agentWith({ turns: 2, result })
    const [state, actions] = end(rules, running(session), full)
    assert.strictEqual(verdictIn(actions)?.kind, "context-full")
    assert.deepStrictEqual(tags(actions), ["WorkerEnded", "SessionDropped"])
    assert.strictEqual(next(rules, state).work.session, "new session")
    const [never] = end(rules, running(), agentWith({ result }))
    assert.strictEqual(statusWord(never), "failed", "its prompt alone is too long")
  })

  it("because it does not know its session any more is no failure: it starts anew at once", () => {
    const says = "No conversation found with session ID: s1"
    const tail = [{ stream: "err" as const, text: says }]
    const [state, actions] = end(rules, running(session), noAgent, { evidence: { tail }, uptimeMs: 900 })
    assert.deepStrictEqual([statusWord(state), state.failures], ["starting", 0])
    assert.include(tags(actions), "SessionDropped")
    assert.strictEqual(next(rules, state).work.session, "new session")
  })

  it("because its session is refused again and again fails in the end, instead of starting all night", () => {
    const by = rulesOf({ ownSession: "own" })
    let state = running(noWork, by)
    let starts = 0
    while (state.phase._tag === "Running" && starts < 100) {
      starts++
      const text =
        state.work.run?.start === "resumed"
          ? "No conversation found with session ID: own"
          : "Error: Session ID own is already in use."
      ;[state] = end(by, state, noAgent, { evidence: { tail: [{ stream: "err", text }] }, uptimeMs: 900 })
      if (state.phase._tag === "Starting") state = next(by, state)
    }
    assert.strictEqual(statusWord(state), "failed")
    assert.isAtMost(starts, claudePlan.maxFruitless)
  })

  it("without a finished answer max_restarts_without_answer times in a row is failed, however long each took", () => {
    let state = running()
    let runs = 1
    for (; runs < 20; runs++) {
      ;[state] = end(rules, state, noAgent, { uptimeMs: 3_600_000 })
      if (state.phase._tag === "Failed") break
      state = next(rules, state)
    }
    assert.strictEqual(runs, claudePlan.maxFruitless)
    assert.match(
      reason(state) ?? "",
      /^5 runs in a row ended without a finished answer, the last: exit code 1 .*autopilotd logs.*start-worker$/
    )
    const [started] = step(rules, state, { _tag: "Command", command: "start", ticket: 1 })
    const [crashed] = end(rules, next(rules, started), noAgent)
    assert.strictEqual(statusWord(crashed), "restarting", "a start by a user gives it as many chances")
  })

  it("after a finished answer counts anew, and waits for the API are no runs in vain", () => {
    let state = running()
    for (let run = 0; run < 12; run++) {
      const isWorking = run % 4 === 3
      const result = resultAt(nowMs, { isError: true, text: "Overloaded", apiErrorStatus: 529 })
      ;[state] = end(rules, state, isWorking ? agentWith({ turns: 1 }) : { ...noAgent, result })
      assert.strictEqual(statusWord(state), isWorking ? "restarting" : "waiting")
      state = next(rules, state)
    }
    assert.strictEqual(state.work.session, "new session", "the session of the first run")
    assert.strictEqual(state.work.resumes, 1)
  })

  it("at its own limit is the budget of the work, with what the whole work has spent", () => {
    const by = rulesOf(dollars({ workUsd: 5 }))
    const result = resultAt(nowMs, { isError: true, subtype: "error_max_budget_usd", costUsd: 2.1 })
    const seen = agentWith({ usd: 2.1, turns: 3, result })
    const [state, actions] = end(by, running({ ...session, usd: 3, turns: 5 }, by), seen)
    assert.strictEqual(statusWord(state), "failed")
    const verdict = verdictIn(actions)
    assert(verdict?.kind === "budget")
    assert.deepInclude(verdict.usage, { setting: "max_budget", limitUsd: 5 })
    assert.approximately(verdict.usage?.usedUsd ?? 0, 5.1, 1e-9)
    assert.match(reason(state) ?? "", /\$5\.10 of max_budget \(\$5\.00\).*Raise max_budget.*budget reset/)
  })

  it("at its turns tells those of the whole work, which the limit is for, and the two ways on", () => {
    const by = rulesOf({ maxTurns: 9 })
    const result = resultAt(nowMs, { isError: true, subtype: "error_max_turns", turns: 5 })
    const [state, actions] = end(
      by,
      running({ ...session, usd: 3, turns: 5 }, by),
      agentWith({ turns: 4, result })
    )
    assert.deepInclude(verdictIn(actions), { kind: "max-turns", turns: 9 })
    assert.match(reason(state) ?? "", /^used up its turns \(9\).*Raise max_turns.*budget reset/)
  })

  it("at a limit that is none any more, after midnight or a change by the user, goes on", () => {
    const by = rulesOf(dollars({ workUsd: 50 }))
    const result = resultAt(nowMs, { isError: true, subtype: "error_max_budget_usd", costUsd: 2.1 })
    const seen = agentWith({ usd: 2.1, turns: 3, result })
    const [state] = end(by, running(session, by), seen)
    assert.strictEqual(statusWord(state), "restarting")
    assert.strictEqual(next(by, state).work.session, "s1")
    assert.strictEqual(statusWord(end(rules, running(session), seen)[0]), "failed")
  })

  it('at a limit of the work begins another one with restart.on.budget or max_turns = "restart"', () => {
    const on = { ...defaultPolicy.on, maxTurns: "restart", budget: "restart" } as const
    const by = rulesOf({ ...dollars({ workUsd: 5 }), maxTurns: 4 }, { on })
    const out = (subtype: string) =>
      agentWith({ usd: 5, turns: 4, result: resultAt(nowMs, { isError: true, subtype }) })
    for (const subtype of ["error_max_turns", "error_max_budget_usd"]) {
      const [state] = end(by, running(noWork, by), out(subtype))
      assert.strictEqual(statusWord(state), "restarting")
      assert.deepInclude(next(by, state).work, { usd: 0, turns: 0, session: "new session" })
    }
  })
})

describe("a start that does not happen", () => {
  const starting = (by: WorkerRules, work: WorkRecord): WorkerState => ({
    ...running(work, by),
    phase: Phase.Starting({ epoch: 4, again: true, remains: [] })
  })

  it("because the budget is used up is failed at once, with the ways on, and starts no backoff", () => {
    const by = rulesOf(dollars({ workUsd: 5 }))
    const work = { ...session, usd: 4.9, turns: 10 }
    const start = begin(by, work)
    assert(start._tag === "Refused")
    const { verdict } = start
    const event = { _tag: "CannotStart", epoch: 4, because: "used up its budget", nowMs, verdict } as const
    const [state, actions] = step(by, { ...starting(by, work), work }, event)
    assert.strictEqual(statusWord(state), "failed")
    assert.deepStrictEqual([state.failures, state.work], [0, work])
    assert.notInclude(
      actions.map(({ _tag }) => _tag),
      "Backoff"
    )
    assert.match(reason(state) ?? "", /^used up its budget: the work has spent \$4\.90 .*budget reset/)
  })

  it("because its program is missing counts against neither its session nor its answers", () => {
    let state = starting(rules, session)
    for (let attempt = 0; attempt < 8; attempt++) {
      ;[state] = step(rules, state, {
        _tag: "CannotStart",
        epoch: state.epoch,
        because: "no such file",
        nowMs
      })
      assert.strictEqual(statusWord(state), "restarting")
      assert.deepInclude(state.work, { session: "s1", resumes: 0, fruitless: 0 })
      const [due] = step(rules, state, { _tag: "Due", epoch: state.epoch })
      state = { ...due, work: begin(rules, due.work).work }
    }
  })

  it("because a user stops it first leaves its session as it was", () => {
    const [stopping] = step(rules, starting(rules, session), { _tag: "Command", command: "stop", ticket: 1 })
    const [down] = step(rules, stopping, { _tag: "Down", epoch: 4, seen: undefined, today })
    const [never] = step(rules, stopping, { _tag: "CannotStart", epoch: 4, because: "no such file", nowMs })
    for (const state of [down, never]) {
      assert.strictEqual(statusWord(state), "stopped")
      assert.deepStrictEqual(state.work, session)
    }
  })
})

describe("a user who begins another work", () => {
  const forget = (state: WorkerState) => step(rules, state, { _tag: "Forget", ticket: 7 })

  it("while it is stopped starts it with nothing spent, and is told what the last one had used", () => {
    const work = { ...session, usd: 4, turns: 9, day: { date: today.date, usd: 4 }, fruitless: 3 }
    const [state, actions] = forget({ ...initial, work })
    assert.deepStrictEqual(state.work, { ...noWork, day: work.day })
    assert.deepStrictEqual(published(actions), [{ _tag: "BudgetReset", project: unnamed, usd: 4, turns: 9 }])
    const message =
      "Another work begins with the next start, its budget from zero. Start it: autopilotd start-worker"
    assert.deepStrictEqual(actions.at(-1), { _tag: "Answer", ticket: 7, success: true, message })
  })

  it("while it runs or starts counts only what the run spends from then on, and keeps its session", () => {
    const [spent] = progress(rules, running(session), agentWith({ usd: 3, turns: 5 }))
    const [fresh, actions] = forget(spent)
    assert.deepInclude(actions.at(-1), {
      message: "Another work begins, its budget from zero; the running agent keeps its session and its limits"
    })
    assert.deepInclude(fresh.work, { usd: 0, turns: 0, session: "s1" })
    const [later] = progress(rules, fresh, agentWith({ usd: 3.5, turns: 6 }))
    assert.deepInclude(later.work, { usd: 0.5, turns: 1, day: { date: today.date, usd: 3.5 } })
    const starting = { ...running(session), phase: Phase.Starting({ epoch: 4, again: true, remains: [] }) }
    const [up] = step(rules, forget(starting)[0], { _tag: "Spawned", epoch: 4, pid: 1 })
    assert.deepInclude(progress(rules, up, agentWith({ usd: 1, turns: 1 }))[0].work, { usd: 1, turns: 1 })
  })
})
