import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import type { AgentSeen } from "../../../src/Domain/agent/AgentSeen.ts"
import { describeAgent } from "../../../src/Domain/guard/AgentEvent.ts"
import { beginWatch, watchAgent } from "../../../src/Domain/guard/AgentWatch.ts"
import { explain } from "../../../src/Domain/history/Explain.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { agentCard } from "../../../src/Domain/panel/CardView.ts"
import type { DaemonSight } from "../../../src/Domain/panel/DaemonSight.ts"
import { stateView } from "../../../src/Domain/panel/StateView.ts"
import { agentRun } from "../../../src/Domain/session/AgentRun.ts"
import { agentData } from "../../../src/Domain/status/AgentReport.ts"
import { projectsText } from "../../../src/Domain/status/ProjectsText.ts"
import { StatusData } from "../../../src/Domain/status/StatusData.ts"
import { type ProjectReport, projectRow, statusData } from "../../../src/Domain/status/StatusReport.ts"
import { statusText } from "../../../src/Domain/status/StatusText.ts"
import { utc } from "../../../src/Domain/text/LocalTime.ts"
import { nothingAlive } from "../../../src/Domain/tree/UnservedHome.ts"
import { initial, Phase, type WorkerState } from "../../../src/Domain/worker/WorkerState.ts"
import { clockTime } from "../../../src/Layers/output/ClockTime.ts"
import { answer, denied, failedAnswer, init, result, says } from "../../fixtures/AgentLines.ts"
import { agentAfter, recordedLines } from "../../fixtures/RecordedRuns.ts"

const shop = ProjectName.make("shop")
const zone = utc
const startMs = Date.parse("2026-11-29T23:00:00Z")
const nowMs = startMs + 60_000

const running: WorkerState = { ...initial, phase: Phase.Running({ epoch: 1, pid: 42 }) }

/** All that a user sees of a worker with this state and agent. */
const shown = (state: WorkerState, agent: AgentSeen | undefined) => {
  const report: ProjectReport = {
    project: shop,
    state,
    argv: ["claude", "-p"],
    workingDir: "/shop",
    autostart: true,
    awaited: [],
    nextStartMs: undefined,
    sinceMs: nowMs,
    worker: { id: "home:shop:1", uptimeMs: 60_000 },
    memory: undefined,
    containment: undefined,
    unfinished: undefined,
    agent: agent && agentData(agent, nowMs, 600_000),
    limitBytes: undefined
  }
  const status = statusData(report, {
    pid: 1,
    version: "1",
    uptimeMs: 1000,
    memory: undefined,
    degraded: [],
    selected: shop,
    all: [state]
  })
  assert.isTrue(Schema.is(StatusData)(status))
  const row = projectRow(report, shop)
  const sight: DaemonSight = {
    _tag: "Running",
    projects: { selected: shop, projects: [row] },
    starts: new Map(),
    status
  }
  const why = explain({
    status,
    records: [],
    project: undefined,
    nowMs,
    bootedMs: undefined,
    survivors: nothingAlive,
    zone
  })
  return {
    status: statusText(status, { clockTime, nowMs, colour: false }),
    projects: projectsText({ projects: [row] }, { clockTime, nowMs, colour: false }),
    why: [...why.sentences, ...why.advice].join("\n"),
    panel: stateView(sight, nowMs).text,
    card: agentCard(sight, [], nowMs).text
  }
}

const needsPerson: ReadonlyArray<readonly [string, ReadonlyArray<string>, RegExp, boolean]> = [
  [
    "was denied a tool again and again",
    [init, ...denied("a"), ...denied("b"), ...denied("c")],
    /was denied Write 3 times in a row/,
    true
  ],
  [
    "needs a login",
    [init, failedAnswer("Not logged in · Please run /login")],
    /needs a login \(run claude/,
    false
  ],
  [
    "has a question as its last word",
    [init, answer("msg_1", says("Shall I drop the table?")), result({})],
    /has finished with a question: ("|&quot;)Shall I drop the table\?/,
    true
  ]
]

describe.each(needsPerson)("an agent that %s is blocked on a person", (_, lines, words, isToldAfterwards) => {
  const agent = agentAfter(lines, startMs)

  it("in status, projects, why, the panel and one event, while it runs", () => {
    for (const [where, text] of Object.entries(shown(running, agent))) {
      assert.match(text, /blocked on a person/i, where)
      assert.match(text, words, where)
    }
    const [watch, events] = watchAgent(beginWatch, shop, agent, nowMs)
    assert.match(events.map((event) => describeAgent(event).text).join(), words)
    assert.deepStrictEqual(watchAgent(watch, shop, agent, nowMs)[1], [])
  })

  it("and afterwards; a missing login is the verdict then", () => {
    const stopped = {
      ...running,
      phase: Phase.Stopped({ because: "its work is finished" }),
      lastAgent: agentRun(agent)
    }
    const { card, ...others } = shown(stopped, undefined)
    assert.notMatch(card, /undefined/)
    if (!isToldAfterwards) return
    for (const [where, text] of Object.entries(others)) {
      assert.match(text, /blocked on a person/i, where)
      assert.match(text, words, where)
    }
  })
})

describe("an agent that has finished and waits for a background task", () => {
  it("is shown with the task, and until when it may, in status, projects, why and the panel", () => {
    const left = agentAfter(recordedLines("claude-2.1.332/background-bash-left"), startMs)
    const { card, panel, projects, status, why } = shown(running, left)
    const finishedMs = left.result?.atMs ?? 0
    const until = new Date(finishedMs + 600_000).toISOString().slice(11, 16)
    assert.include(why, `has finished, and waits for "work", until ${until}`)
    const here = clockTime(finishedMs + 600_000, nowMs)
    assert.match(here, /^\d\d:\d\d$|^2026-11-\d\d \d\d:\d\d$/)
    for (const text of [status, projects])
      assert.include(text, `has finished, and waits for "work", until ${here} (in `)
    for (const html of [card, panel]) {
      assert.include(html, "has finished, and waits for &quot;work&quot;, until ")
      assert.include(html, new Date(finishedMs + 600_000).toISOString().slice(0, 16))
    }
  })
})

describe("the last agent of a worker that does not run", () => {
  const agent = agentAfter(recordedLines("claude-2.1.332/success-tools"), startMs)
  const session = agent.sessionId ?? ""

  it("is shown with its session, the command that opens it, cost and turns: stopped, failed or waiting", () => {
    for (const phase of [
      Phase.Stopped({ because: "its work is finished" }),
      Phase.Failed({ epoch: 1, because: "gave up" }),
      Phase.Restarting({ epoch: 1, dueMs: undefined, because: "exit code 1" })
    ]) {
      const { card, panel, projects, status, why } = shown(
        { ...running, phase, lastAgent: agentRun(agent) },
        undefined
      )
      for (const text of [status, why, panel, card]) assert.include(text, `claude --resume ${session}`)
      for (const text of [status, projects]) assert.match(text, /3 turns, \$0\.\d\d/)
      for (const html of [panel, card]) assert.match(html, /\$0\.\d\d/)
    }
  })

  it("makes room for the one that runs", () => {
    const before = agentRun(agent) ?? assert.fail("it is an agent")
    const { status } = shown({ ...running, lastAgent: { ...before, turns: 99 } }, agent)
    assert.notMatch(status, /99 turns|Last agent/)
  })
})
