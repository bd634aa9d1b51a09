import { assert, describe, it } from "@effect/vitest"
import type { AgentResult } from "../../../src/Domain/agent/AgentSeen.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import type { WorkerExit } from "../../../src/Domain/tree/WorkerExit.ts"
import type { RunEvidence } from "../../../src/Domain/verdict/WorkerEnd.ts"
import type { WorkerAction, WorkerEvent, WorkerRules } from "../../../src/Domain/worker/WorkerEvent.ts"
import {
  initial,
  Phase,
  reason,
  statusWord,
  type WorkerState
} from "../../../src/Domain/worker/WorkerState.ts"
import { step } from "../../../src/Domain/worker/WorkerStep.ts"
import { defaultPolicy } from "../../fixtures/policies.ts"
import { noEvidence } from "../../fixtures/RunEvidence.ts"

const nowMs = Date.parse("2026-11-22T02:00:00Z")

const rules: WorkerRules = { project: ProjectName.make("shop"), restart: defaultPolicy }

const running: WorkerState = {
  ...initial,
  epoch: 4,
  failures: 2,
  wanted: "up",
  phase: Phase.Running({ epoch: 4, pid: 100 })
}

const result = (more: Partial<AgentResult>): RunEvidence => ({
  ...noEvidence,
  nowMs,
  agent: {
    ...noEvidence.agent,
    sessionId: "s",
    result: { atMs: nowMs, subtype: "success", isError: false, text: "", ...more }
  }
})

const crashed: WorkerExit = { code: 1, signal: null }

/** A worker that ends by itself after a while: what the state is then, and what is done. */
const afterEnd = (
  seen: RunEvidence,
  {
    by = rules,
    exit = crashed,
    from = running,
    uptimeMs = 5000
  }: {
    readonly by?: WorkerRules
    readonly exit?: WorkerExit
    readonly from?: WorkerState
    readonly uptimeMs?: number
  } = {}
): readonly [WorkerState, ReadonlyArray<WorkerAction>] => {
  const { epoch } = from
  const [stopping] = step(by, from, { _tag: "Exited", epoch, exit, uptimeMs })
  return step(by, stopping, { _tag: "Down", epoch, seen })
}

const verdictIn = (actions: ReadonlyArray<WorkerAction>): string | undefined =>
  actions
    .flatMap((action) =>
      action._tag === "Publish" && action.event._tag === "WorkerEnded" ? [action.event.verdict.kind] : []
    )
    .at(0)

const limited = result({
  isError: true,
  text: "You've hit your limit · resets 5am (UTC)",
  apiErrorStatus: 429
})

describe("a worker that lingers after its success and is stopped by the daemon", () => {
  /** Stopped for a reason of the daemon, perhaps with a command of the user meanwhile, then gone. */
  const afterReason = (seen: RunEvidence, command?: "start" | "restart") => {
    const stall = { quietMs: 60_000, limitMs: 60_000, tool: undefined }
    const because = "memory is critical"
    const [asked] = step(rules, running, {
      _tag: "RestartFor",
      because,
      cause: { _tag: "Stall", stall },
      next: { _tag: "hold", untilMs: nowMs + 60_000, awaits: "memory" }
    })
    const [commanded] =
      command === undefined ? [asked] : step(rules, asked, { _tag: "Command", command, ticket: 1 })
    const exit: WorkerExit = { code: null, signal: "SIGTERM" }
    const [exited] = step(rules, commanded, { _tag: "Exited", epoch: 4, exit, uptimeMs: 90_000 })
    return step(rules, exited, { _tag: "Down", epoch: 4, seen })
  }

  it("has finished its work, and is not started and paid again", () => {
    const [state, actions] = afterReason(result({ turns: 3 }))
    assert.strictEqual(verdictIn(actions), "done")
    assert.strictEqual(statusWord(state), "stopped")
    assert.match(reason(state) ?? "", /finished/)
  })

  it("starts again when it had not finished", () => {
    assert.strictEqual(statusWord(afterReason(noEvidence)[0]), "waiting")
  })

  it("starts again when the user has requested that meanwhile", () => {
    for (const command of ["start", "restart"] as const)
      assert.strictEqual(statusWord(afterReason(result({}), command)[0]), "starting")
  })
})

describe("the reaction to the verdict on an exit", () => {
  it("is a wait until the usage limit is lifted, which is no failure and is saved as a time of day", () => {
    const [state, actions] = afterEnd(limited)
    assert.strictEqual(verdictIn(actions), "usage-limit")
    assert.strictEqual(statusWord(state), "waiting")
    assert.strictEqual(state.failures, 2)
    assert.include(state.phase, { awaits: "login" })
    const until = actions.flatMap((action) => (action._tag === "WaitUntil" ? [action.untilMs] : []))
    assert.deepStrictEqual(until, [Date.parse("2026-11-22T05:01:00Z")])
  })

  it("is a wait that grows while an overloaded API gives no answer, however long the runs are", () => {
    const overloaded = (atMs: number, turns = 0): RunEvidence => {
      const seen = result({ isError: true, text: "API Error: 529 Overloaded", apiErrorStatus: 529 })
      return { ...seen, nowMs: atMs, agent: { ...seen.agent, turns } }
    }
    const minute = 60_000
    /** The waits of runs that end at these minutes, each after this time, the first of them after an answer. */
    const waits = (ends: ReadonlyArray<number>, uptimeMs: number) => {
      let state = running
      return ends.map((end, index) => {
        const atMs = nowMs + end * minute
        const [next, actions] = afterEnd(overloaded(atMs, index === 0 ? 1 : 0), { from: state, uptimeMs })
        const [again] = step(rules, next, { _tag: "Due", epoch: next.epoch })
        state = step(rules, again, { _tag: "Spawned", epoch: again.epoch, pid: 101 })[0]
        return actions.flatMap((action) =>
          action._tag === "WaitUntil" ? [(action.untilMs - atMs) / minute] : []
        )[0]
      })
    }
    assert.deepStrictEqual(waits([0, 4, 11, 25, 60], 3 * minute), [1, 4, 11, 25, 30])
    assert.deepStrictEqual(waits([0, 1, 2, 2.5, 3], 1000), [1, 1, 2, 2.5, 3])
  })

  it("is a longer wait when the limit is reached again right after the wait", () => {
    const [first] = afterEnd(limited)
    const [again] = step(rules, first, { _tag: "Due", epoch: first.epoch })
    const [anew] = step(rules, again, { _tag: "Spawned", epoch: again.epoch, pid: 101 })
    const unknown = result({ isError: true, text: "You've hit your limit", apiErrorStatus: 429 })
    const waited = (from: WorkerState, uptimeMs: number) =>
      afterEnd(unknown, { from, uptimeMs })[1].flatMap((action) =>
        action._tag === "WaitUntil" ? [action.untilMs - nowMs] : []
      )
    const [short = 0] = waited(anew, 3_600_000)
    const [long = 0] = waited(anew, 5000)
    assert.isAbove(short, 0)
    assert.isAbove(long, short)
  })

  it("is `failed` until a user acts, with the action, where another start would not help", () => {
    const [state, actions] = afterEnd(result({ isError: true, text: "Invalid API key", apiErrorStatus: 401 }))
    assert.strictEqual(verdictIn(actions), "auth")
    assert.strictEqual(statusWord(state), "failed")
    assert.match(reason(state) ?? "", /Invalid API key\. Log in as the user of the daemon/)
    const command: WorkerEvent = { _tag: "Command", command: "start", ticket: 1 }
    const [started] = step(rules, state, command)
    assert.deepStrictEqual(
      [statusWord(started), started.failures, started.streak],
      ["starting", 0, undefined]
    )
  })

  it("is a backoff after a crash, with its last words", () => {
    const seen = { ...noEvidence, tail: [{ stream: "err" as const, text: "Error: boom" }] }
    const [state, actions] = afterEnd(seen)
    assert.strictEqual(verdictIn(actions), "crash")
    assert.strictEqual(statusWord(state), "restarting")
    assert.strictEqual(state.lastExit, "exit code 1 after 5 seconds; last output: Error: boom")
    assert.strictEqual(reason(state), state.lastExit)
    assert.deepStrictEqual(state.lastEnd, { verdict: "crash", code: 1 })
  })

  it("is a finished worker when the agent reports success, not when only its exit code does", () => {
    const clean = { code: 0, signal: null }
    const [done] = afterEnd(result({}), { exit: clean })
    assert.strictEqual(statusWord(done), "stopped")
    assert.match(reason(done) ?? "", /^its work is finished/)
    const [failed, actions] = afterEnd(
      result({ subtype: "error_during_execution", isError: true, text: "it broke" }),
      { exit: clean }
    )
    assert.strictEqual(verdictIn(actions), "crash")
    assert.strictEqual(statusWord(failed), "restarting")
  })

  it("is what the settings say for that verdict", () => {
    const by = {
      ...rules,
      restart: { ...defaultPolicy, on: { ...defaultPolicy.on, usageLimit: "stop" as const } }
    }
    assert.strictEqual(statusWord(afterEnd(limited, { by })[0]), "failed")
  })

  it("is that of the command when the daemon had stopped the worker", () => {
    const [stopping] = step(rules, running, { _tag: "Command", command: "stop", ticket: 1 })
    const [exited] = step(rules, stopping, {
      _tag: "Exited",
      epoch: 4,
      exit: { code: null, signal: "SIGTERM" },
      uptimeMs: 5000
    })
    const [state, actions] = step(rules, exited, { _tag: "Down", epoch: 4, seen: limited })
    assert.strictEqual(verdictIn(actions), "killed-by-us")
    assert.strictEqual(statusWord(state), "stopped")
  })

  it("is a failure with that reason for a stalled worker", () => {
    const stall = { quietMs: 1_200_000, limitMs: 1_200_000, tool: "Bash" }
    const [stopping] = step(rules, running, {
      _tag: "RestartFor",
      because: "stalled",
      next: { _tag: "judge" },
      cause: { _tag: "Stall", stall }
    })
    const exit = { code: 143, signal: null }
    const [exited] = step(rules, stopping, { _tag: "Exited", epoch: 4, exit, uptimeMs: 5000 })
    const [state, actions] = step(rules, exited, { _tag: "Down", epoch: 4, seen: noEvidence })
    assert.strictEqual(verdictIn(actions), "stalled")
    assert.deepStrictEqual([statusWord(state), state.failures], ["restarting", 3])
  })

  it("follows its own setting for a worker that could not start", () => {
    const starting: WorkerState = {
      ...running,
      phase: Phase.Starting({ epoch: 4, again: false, remains: [] })
    }
    const event: WorkerEvent = { _tag: "CannotStart", epoch: 4, because: "no such file", nowMs }
    const by = {
      ...rules,
      restart: { ...defaultPolicy, on: { ...defaultPolicy.on, notStarted: "stop" as const } }
    }
    assert.strictEqual(statusWord(step(rules, starting, event)[0]), "restarting")
    assert.strictEqual(statusWord(step(by, starting, event)[0]), "failed")
  })
})
