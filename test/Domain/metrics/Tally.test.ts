import { assert, describe, it } from "@effect/vitest"
import { noTokens } from "../../../src/Domain/agent/AgentUsage.ts"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { figuresOf } from "../../../src/Domain/memory/MemorySample.ts"
import { metricsData } from "../../../src/Domain/metrics/MetricsReport.ts"
import { noTally, type Tally, tallied, tallyOf } from "../../../src/Domain/metrics/Tally.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import type { AgentRun } from "../../../src/Domain/session/AgentRun.ts"
import type { Verdict } from "../../../src/Domain/verdict/ExitVerdict.ts"
import { agentWith } from "../../fixtures/AgentPlans.ts"
import { measured, measuredDaemon, running } from "../../fixtures/Measurements.ts"
import { sampleOf } from "../../fixtures/MemorySamples.ts"
import { agentAfter, recordedLines } from "../../fixtures/RecordedRuns.ts"

const shop = ProjectName.make("shop")

const ended = (verdict: Verdict, agent?: AgentRun): DaemonEvent => ({
  _tag: "WorkerEnded",
  project: shop,
  verdict,
  exit: { code: 0, signal: null },
  uptimeMs: 1000,
  ...(agent && { agent })
})

const done: Verdict = { kind: "done" }

const run = (turns: number, costUsd?: number): AgentRun => ({
  turns,
  messages: turns,
  toolCalls: 2 * turns,
  tokens: { ...noTokens, output: 10 * turns },
  ...(costUsd === undefined ? {} : { costUsd })
})

const hog: DaemonEvent = {
  _tag: "HogSignalled",
  pid: 9,
  name: "node",
  dryRun: false,
  signal: "SIGTERM",
  kind: "hog",
  reason: "it is the largest",
  command: "node",
  heldBytes: 1,
  swapBytes: 0,
  figures: figuresOf(sampleOf(1)),
  next: [],
  spared: []
}

const after = (events: ReadonlyArray<DaemonEvent>, from: Tally = noTally): Tally =>
  events.reduce((tally, event) => tallied(tally, event, 5000), from)

/** The counters of a report about the project, and the tally after it. */
const report = (tally: Tally, project = measured("shop")) => {
  const [next, { workers }] = metricsData(measuredDaemon([project]), tally)
  return { tally: next, worker: workers[0], agent: workers[0]?.agent }
}

describe("the tally", () => {
  it("counts exits by verdict, failed starts, dropped lines and killed processes", () => {
    const { hogs, projects } = after([
      ended(done),
      ended({ kind: "native-crash", signal: "SIGSEGV" }),
      ended(done),
      { _tag: "WorkerNotStarted", project: shop, reason: "no such file" },
      { _tag: "OutputDropped", project: shop, lines: 3, reason: "disk full" },
      { _tag: "OutputDropped", project: shop, lines: 4, reason: "disk full" },
      hog,
      hog,
      { ...hog, signal: "SIGKILL" }
    ])
    const { exits, linesDropped } = tallyOf({ hogs, projects }, shop)
    assert.deepStrictEqual(exits, { done: 2, "native-crash": 1, "not-started": 1 })
    assert.strictEqual(linesDropped, 7)
    assert.deepStrictEqual(hogs, [
      { kind: "hog", signal: "SIGTERM", count: 2 },
      { kind: "hog", signal: "SIGKILL", count: 1 }
    ])
  })

  it("counts no process that the daemon would only have killed", () => {
    assert.deepStrictEqual(after([{ ...hog, dryRun: true }]), noTally)
  })

  it("forgets a project that was removed", () => {
    const { projects } = after([ended(done), { _tag: "ProjectRemoved", project: shop, leftBehind: [] }])
    assert.strictEqual(projects.size, 0)
  })
})

describe("the counters of an agent", () => {
  it("are absent before its first answer, and of a worker that is no agent", () => {
    assert.notProperty(report(noTally).worker, "agent")
    assert.notProperty(report(after([ended(done)]), measured("shop", running())).worker, "agent")
  })

  it("add the run that goes on to those that have ended", () => {
    const live = measured("shop", running(agentWith({ usd: 0.5, turns: 4 })))
    const { agent } = report(after([ended(done, run(3, 0.25)), ended(done, run(5, 1))]), live)
    assert.deepInclude(agent, { turns: 12, messages: 8, tool_calls: 16, output_tokens: 80 })
    assert.strictEqual(agent?.cost_micro_usd, 1_750_000)
  })

  it("leave out what the agent does not tell: its price, and tokens of a kind", () => {
    const { agent } = report(after([ended(done, run(3))]))
    assert.deepStrictEqual(agent, { turns: 3, messages: 3, tool_calls: 6, output_tokens: 30 })
  })

  it("never fall: neither while a run ends, nor when its end tells less than was estimated", () => {
    const live = measured("shop", running(agentWith({ usd: 2, turns: 9 })))
    const first = report(noTally, live)
    assert.deepInclude(first.agent, { turns: 9, cost_micro_usd: 2_000_000 })
    // The leader is gone, and its verdict is not there yet.
    const between = report(first.tally)
    assert.deepInclude(between.agent, { turns: 9, cost_micro_usd: 2_000_000 })
    const settled = report(after([ended(done, run(8, 1.5))], between.tally))
    assert.deepInclude(settled.agent, { turns: 9, cost_micro_usd: 2_000_000 })
    const more = report(after([ended(done, run(8, 1.5))], settled.tally))
    assert.deepInclude(more.agent, { turns: 16, cost_micro_usd: 3_000_000 })
  })

  it("count the messages and the tool calls of a recorded run of Claude Code", () => {
    const seen = agentAfter(recordedLines("claude-2.1.332/subagent"))
    const { agent } = report(noTally, measured("shop", running(seen)))
    assert(agent !== undefined)
    assert.isAbove(agent.tool_calls, 0)
    assert.isAbove(agent.messages, 0)
    assert.strictEqual(agent.messages + agent.tool_calls, seen.pace?.actions)
  })
})
