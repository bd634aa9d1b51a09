import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { readAgentLine } from "../../../src/Domain/adapter/AgentReader.ts"
import { noAgent } from "../../../src/Domain/agent/AgentSeen.ts"
import { encodeResponse, maxResponseBytes } from "../../../src/Domain/control/ControlWire.ts"
import { AgentData } from "../../../src/Domain/status/AgentData.ts"
import { agentData } from "../../../src/Domain/status/AgentReport.ts"
import { agentWords, openCommand } from "../../../src/Domain/status/AgentWords.ts"
import { answer, calls, init, says } from "../../fixtures/AgentLines.ts"
import { agentAfter, recordedLines, recordedRuns } from "../../fixtures/RecordedRuns.ts"

const startMs = 1_795_900_000_000

const dataOf = (lines: ReadonlyArray<string>, laterMs = 0): AgentData =>
  agentData(agentAfter(lines, startMs), startMs + lines.length * 1000 + laterMs) ??
  assert.fail("it is an agent")

const wordsOf = (agent: AgentData, nowMs: number) =>
  Object.fromEntries(agentWords(agent, nowMs).filter(([, value]) => value !== undefined))

describe("what the status tells about an agent", () => {
  it("is nothing for a worker that is none", () => {
    assert.strictEqual(agentData(noAgent, startMs), undefined)
  })

  it("is the session of any agent, with the command that opens it", () => {
    const id = "01a2242b-eeeb-7810-9230-56594a4775e9"
    const seen = readAgentLine(noAgent, `{"type":"thread.started","thread_id":"${id}"}`, startMs)
    const data = agentData(seen, startMs) ?? assert.fail("it is an agent")
    assert.deepInclude(data, { name: "codex", session_id: id })
    assert.strictEqual(
      wordsOf(data, startMs)["Session"],
      `${id} (while the worker is stopped: codex resume ${id})`
    )
    for (const [name, command] of [
      ["claude", "claude --resume ID"],
      ["gemini", "gemini --resume ID"],
      ["qwen", "qwen --resume ID"],
      ["opencode", "opencode -s ID"]
    ] as const)
      assert.strictEqual(openCommand("ID", name), command)
  })

  it("is absent where it is not known, and only whole numbers", () => {
    assert.deepStrictEqual(dataOf([init]), {
      session_id: "a31e5a58-f990-41a1-8586-0f99850fd417",
      model: "claude-sonnet-5",
      since_ms: startMs,
      turns: 0,
      actions: 0,
      actions_last_minute: 0,
      actions_last_ten_minutes: 0,
      cost_micro_usd: 0,
      cost_is_exact: false
    })
    for (const run of recordedRuns) {
      const lines = recordedLines(run)
      for (const at of lines.keys()) {
        const data = agentData(agentAfter(lines.slice(0, at + 1), startMs), startMs + at * 1000)
        if (data === undefined) continue
        assert.isTrue(Schema.is(AgentData)(data), `${run}, line ${at}`)
        assert.notMatch(JSON.stringify(data), /null|\d\.\d*[,}]/, `${run}, line ${at}`)
      }
    }
  })

  it("has its cost, turns, tokens, last tool and last answer", () => {
    const agent = dataOf(recordedLines("claude-2.1.332/success-tools"), 60_000)
    assert.deepInclude(agent, {
      turns: 3,
      actions: 5,
      cost_micro_usd: 7500,
      cost_is_exact: true,
      input_tokens: 3000,
      output_tokens: 150,
      context_window_tokens: 1_000_000
    })
    const words = wordsOf(
      agent,
      startMs + recordedLines("claude-2.1.332/success-tools").length * 1000 + 60_000
    )
    assert.strictEqual(words["Cost"], "$0.0075")
    assert.strictEqual(words["Tokens"], "3,000 in, 150 out")
    assert.match(words["Tool"] ?? "", /^Bash "exit 3", failed 1 min \d+ s ago$/)
    assert.match(words["Last answer"] ?? "", /^All done\. \(1 min \d+ s ago\)$/)
    assert.match(
      words["Session"] ?? "",
      /^[0-9a-f-]{36} \(while the worker is stopped: claude --resume [0-9a-f-]{36}\)$/
    )
  })

  it("says how long a tool runs, and that a cost is an estimate", () => {
    const lines = [
      ...recordedLines("claude-2.1.332/stream-input").slice(0, -1),
      answer("msg_99", calls("t99"))
    ]
    const agent = dataOf(lines, 320_000)
    const words = wordsOf(agent, startMs + lines.length * 1000 + 320_000)
    assert.strictEqual(words["Tool"], 'Bash "npm test", for 5 min 21 s')
    assert.match(words["Cost"] ?? "", /^about \$[\d.]+; \d answers? estimated$/)
  })

  it("says that an agent has finished and what it waits for", () => {
    const agent = dataOf(recordedLines("claude-2.1.332/background-bash-left"))
    assert.strictEqual(agent.situation, 'has finished, and waits for "work"')
    assert.isDefined(agent.finished_at_ms)
    assert.strictEqual(wordsOf(agent, startMs + 8000)["Background"]?.startsWith('"work" for '), true)
  })

  it("has the windows of the plan in words, until they begin anew", () => {
    const lines = recordedLines("claude-2.1.332/rate-limit-warning-oauth")
    const resetMs = Number(/"five_hour":\{"utilization":0.92,"resetsAt":(\d+)/.exec(lines.join())?.[1]) * 1000
    const agent = agentAfter(lines, resetMs - 3_600_000)
    const before = agentData(agent, resetMs - 3_600_000) ?? assert.fail("it is an agent")
    const words = wordsOf(before, resetMs - 3_600_000)
    assert.match(
      words["Usage limits"] ?? "",
      /^5 hours 92 % \(resets in 1 h 00 min\), week 40 % \(resets in 3 d/
    )
    assert.deepStrictEqual(
      agentData(agent, resetMs + 1000)?.limits?.map(({ name }) => name),
      ["seven_day"]
    )
  })

  it("leaves the answer short enough for the original's client, and whole as far as it fits", () => {
    const hostile = "\u0001\u202e".repeat(40_000)
    const tasks = Array.from({ length: 40 }, (_, at) => ({
      task_id: `${at}`,
      task_type: "local_bash",
      description: hostile
    }))
    const lines = [
      init,
      answer("msg_1", says(hostile)),
      answer("msg_2", calls("t1", hostile, { command: hostile })),
      JSON.stringify({ type: "system", subtype: "background_tasks_changed", tasks, session_id: "a" })
    ]
    const bare = {
      worker_status: "running" as const,
      worker_pid: 1,
      uptime_seconds: 1,
      total_restarts: 0,
      consecutive_failures: 0,
      memory_available_bytes: 0,
      memory_total_bytes: 0
    }
    const text = encodeResponse({ success: true, message: "", data: { ...bare, agent: dataOf(lines) } })
    assert.isAtMost(new TextEncoder().encode(text).length, maxResponseBytes)
    assert.isTrue(Schema.is(AgentData)(JSON.parse(text).data.agent))
  })
})
