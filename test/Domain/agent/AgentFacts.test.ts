import { assert, describe, it } from "@effect/vitest"
import { beginPace, recentActions, withMessage } from "../../../src/Domain/agent/AgentPace.ts"
import { type AgentSeen, noAgent } from "../../../src/Domain/agent/AgentSeen.ts"
import { blockedOf, lingeringOf, noProgressOf, waitOf } from "../../../src/Domain/agent/AgentSituation.ts"
import { nextAgent } from "../../../src/Domain/agent/AgentStream.ts"
import {
  answer,
  calls,
  failedAnswer,
  init,
  result,
  retry,
  says,
  toolResult
} from "../../fixtures/AgentLines.ts"
import { agentAfter, recordedLines } from "../../fixtures/RecordedRuns.ts"

const startMs = 1_795_380_000_000
const after = (...lines: ReadonlyArray<string>): AgentSeen => agentAfter([init, ...lines], startMs)
const recorded = (run: string, lines?: number): AgentSeen => agentAfter(recordedLines(run).slice(0, lines))

const same = (times: number, callOf: (at: number) => readonly [string, string]) =>
  Array.from({ length: times }, (_, at) => callOf(at)).flat()

describe("what an agent does", () => {
  it("shows the last tool with its arguments and its end, and the last answer", () => {
    const running = after(answer("msg_1", says("I look.")), answer("msg_1", calls("toolu_1")))
    assert.deepInclude(running.work.lastCall, { name: "Bash", input: "npm test", atMs: startMs + 2000 })
    assert.strictEqual(running.work.lastCall?.endedMs, undefined)
    assert.strictEqual(running.work.lastAnswer?.text, "I look.")
    const done = nextAgent(running, toolResult("toolu_1", "ok", { is_error: true }), startMs + 9000)
    assert.deepInclude(done.work.lastCall, { endedMs: startMs + 9000, hasFailed: true })
  })

  it("hides a secret in the arguments of a tool, in an answer and in the name of a task", () => {
    const mask = (text: string) => text.replaceAll("hunter2", "****")
    const lines = [
      answer("msg_1", says("The password is hunter2")),
      answer("msg_2", calls("toolu_1", "Bash", { command: "login hunter2" })),
      JSON.stringify({
        type: "system",
        subtype: "task_started",
        task_id: "1",
        description: "hunter2",
        session_id: "a"
      })
    ]
    const seen = lines.reduce((state, line) => nextAgent(state, line, startMs, mask), after())
    assert.notInclude(JSON.stringify(seen), "hunter2")
  })

  it("counts actions over the last minute, ten minutes and the run", () => {
    const ofMinute = (pace: ReturnType<typeof beginPace>, minute: number) =>
      Array.from({ length: 6 }, (_, at) => at).reduce(
        (all, at) => withMessage(all, startMs + minute * 60_000 + at * 10_000),
        pace
      )
    const pace = Array.from({ length: 30 }, (_, minute) => minute).reduce(ofMinute, beginPace(startMs))
    const nowMs = startMs + 29 * 60_000 + 55_000
    assert.strictEqual(recentActions(pace, 1, nowMs), 6)
    assert.strictEqual(recentActions(pace, 10, nowMs), 60)
    assert.strictEqual(pace.actions, 180)
    assert.isBelow(pace.spans.length, 130)
    assert.strictEqual(recentActions(pace, 10, startMs + 3600_000 * 5), 0)
  })

  it("counts tool calls and answers of the agent and of its subagents as actions", () => {
    assert.strictEqual(recorded("claude-2.1.332/success-tools").pace?.actions, 5)
    assert.strictEqual(recorded("claude-2.1.332/subagent").pace?.actions, 5)
    assert.strictEqual(recorded("claude-2.1.332/subagent").subagents, 1)
  })

  it("knows how much of its context is used once a result has told its size, and counts compactions", () => {
    const { context } = recorded("claude-2.1.332/compaction")
    assert.strictEqual(context.compactions, 1)
    assert.deepStrictEqual(context.windows, [{ model: "claude-sonnet-5-5", tokens: 1_000_000 }])
    assert.isAbove(context.tokens ?? 0, 7000)
    assert.deepStrictEqual(recorded("claude-2.1.332/kill9-0-first").context.windows, [])
  })
})

describe("what goes on beside an agent", () => {
  it.each(["claude-2.1.197", "claude-2.1.332"])(
    "shows a task in the background until it ends: %s",
    (version) => {
      const lines = recordedLines(`${version}/background-bash-ends`)
      const tasksAfter = (count: number) => agentAfter(lines.slice(0, count)).tasks.running
      const counts = lines.map((_, at) => tasksAfter(at + 1).length)
      assert.include(counts, 1)
      assert.isTrue(counts.every((count) => count <= 1))
      assert.strictEqual(counts.at(-1), 0)
      assert.deepInclude(tasksAfter(counts.indexOf(1) + 1)[0], { description: "work", isSubagent: false })
    }
  )

  it("does not show a tool in the foreground that takes long as a task", () => {
    const lines = recordedLines("claude-2.1.332/stream-input-get-usage")
    assert.isTrue(lines.some((line) => line.includes('"is_backgrounded":false')))
    assert.isTrue(lines.every((_, at) => agentAfter(lines.slice(0, at + 1)).tasks.running.length === 0))
  })

  it("has finished and waits for a task that it has left, and no longer once it works again", () => {
    const left = recorded("claude-2.1.332/background-bash-left")
    const nameless = recordedLines("claude-2.1.332/background-bash-left").map((line) =>
      line.replaceAll('"description":"work"', '"description":""')
    )
    assert.match(
      lingeringOf(agentAfter(nameless))?.text ?? "",
      /waits for "(?!work)\w+/,
      "without a description, the command names the task"
    )
    assert.strictEqual(lingeringOf(left)?.text, 'has finished, and waits for "work"')
    assert.strictEqual(lingeringOf(recorded("claude-2.1.332/success-tools")), undefined)
    assert.strictEqual(lingeringOf(recorded("claude-2.1.332/background-bash-ends")), undefined)
  })

  it("has finished and waits for its wake-up", () => {
    const asleep = lingeringOf(recorded("claude-2.1.332/schedule-wakeup", 5))
    assert.strictEqual(asleep?.text, "has finished, and waits for its wake-up (wait for CI)")
    assert.isAbove(asleep?.untilMs ?? 0, asleep?.sinceMs ?? 0)
    assert.strictEqual(lingeringOf(recorded("claude-2.1.332/schedule-wakeup")), undefined)
  })
})

describe("an agent that needs a person", () => {
  const denied = (id: string) => [
    answer(`msg_${id}`, calls(id, "Write")),
    JSON.stringify({
      type: "system",
      subtype: "permission_denied",
      tool_name: "Write",
      tool_use_id: id,
      session_id: "a"
    }),
    toolResult(id, "needs approval", { is_error: true })
  ]

  it("is one whose calls are denied again and again, until one is allowed", () => {
    const twice = after(...denied("t1"), ...denied("t2"))
    assert.strictEqual(blockedOf(twice), undefined)
    assert.strictEqual(twice.denials.total, 2)
    const thrice = after(...denied("t1"), ...denied("t2"), ...denied("t3"))
    assert.deepInclude(blockedOf(thrice), { why: "permission" })
    assert.include(blockedOf(thrice)?.text, "denied Write 3 times in a row")
    const allowed = [answer("msg_4", calls("t4")), toolResult("t4", "ok")].reduce(
      (state, line) => nextAgent(state, line, startMs),
      thrice
    )
    assert.strictEqual(blockedOf(allowed), undefined)
    assert.strictEqual(allowed.denials.total, 3)
  })

  it("counts a denial once that is told when it happens and again in the result", () => {
    const { denials } = recorded("claude-2.1.332/permission-denied")
    assert.deepInclude(denials, { total: 1, tool: "Bash" })
  })

  it("counts a denial that 2.1.197 tells in the result of the tool", () => {
    const text = "Claude requested permissions to use Write, but you haven't granted it yet."
    const seen = after(answer("msg_1", calls("t1", "Write")), toolResult("t1", text, { is_error: true }))
    assert.deepInclude(seen.denials, { total: 1, inARow: 1, tool: "Write" })
  })

  it("is one that needs a login", () => {
    for (const version of ["claude-2.1.197", "claude-2.1.332"]) {
      for (const run of ["error-not-logged-in", "error-401-oauth"]) {
        assert.deepInclude(blockedOf(recorded(`${version}/${run}`)), { why: "login" }, `${version} ${run}`)
      }
    }
    assert.deepInclude(blockedOf(recorded("claude-2.1.332/error-401-api-key", 4)), { why: "login" })
    assert.deepInclude(blockedOf(after(failedAnswer("Not logged in · Please run /login"))), { why: "login" })
  })

  it("is one whose last word is a question, and not one that asked in passing", () => {
    const asked = [answer("msg_1", says("I could do both. **Shall I delete the table?**")), result({})]
    assert.strictEqual(
      blockedOf(after(...asked))?.text,
      'has finished with a question: "**Shall I delete the table?**"'
    )
    assert.strictEqual(blockedOf(after(...asked.slice(0, 1))), undefined)
    assert.strictEqual(blockedOf(after(answer("msg_1", says("Why? Because.")), result({}))), undefined)
  })

  it("is none of the other recorded runs", () => {
    for (const run of [
      "success-tools",
      "subagent",
      "error-529",
      "error-max-turns",
      "compaction",
      "refusal"
    ]) {
      assert.strictEqual(blockedOf(recorded(`claude-2.1.197/${run}`)), undefined, run)
    }
  })
})

describe("an agent that waits inside of its process", () => {
  it("waits for its usage limit until the reset, and then no longer", () => {
    const lines = recordedLines("claude-2.1.332/retry-watchdog-usage-limit")
    const resetMs = Number(/"resetsAt":(\d+)/.exec(lines.join())?.[1]) * 1000
    const states = lines.map((_, at) => {
      const agent = lines
        .slice(0, at + 1)
        .reduce((state, line) => nextAgent(state, line, resetMs - 20_000), noAgent)
      return waitOf(agent, resetMs - 10_000)
    })
    assert.include(
      states.map((state) => state?.on),
      "limit"
    )
    assert.strictEqual(states.find((state) => state !== undefined)?.untilMs, resetMs)
    assert.strictEqual(states.at(-1), undefined)
  })

  it("waits for the API once it retries for a minute, and not after its next answer", () => {
    const seen = after(retry(1, 529, "overloaded"), retry(2, 529, "overloaded"))
    assert.strictEqual(waitOf(seen, startMs + 10_000), undefined)
    assert.deepInclude(waitOf(seen, startMs + 90_000), { on: "api", sinceMs: startMs + 1000 })
    assert.include(waitOf(seen, startMs + 90_000)?.text, "answers with status 529: attempt 2")
    assert.strictEqual(
      waitOf(nextAgent(seen, answer("msg_1", says("a")), startMs), startMs + 90_000),
      undefined
    )
  })

  it("has met no usage limit where the server is only busy", () => {
    const busy = recordedLines("claude-2.1.332/error-429-plain-oauth")
    for (const at of busy.keys()) {
      assert.notStrictEqual(waitOf(agentAfter(busy.slice(0, at + 1)), at * 1000 + 500)?.on, "limit")
    }
  })
})

describe("an agent that makes no progress", () => {
  const poll = (at: number, output = "pending") =>
    [
      answer(`msg_${at}`, calls(`t${at}`, "Bash", { command: "gh run view" })),
      toolResult(`t${at}`, output)
    ] as const

  it("calls the same tool with the same arguments and the same result again and again", () => {
    assert.strictEqual(noProgressOf(after(...same(9, (at) => poll(at)))), undefined)
    const stuck = noProgressOf(after(...same(10, (at) => poll(at))))
    assert.strictEqual(stuck, 'has called Bash "gh run view" 10 times with the same result')
    assert.strictEqual(noProgressOf(after(...same(20, (at) => poll(at, `${at} % done`)))), undefined)
  })

  it("does so also when other calls come in between, and not when it looks at many things", () => {
    const other = (at: number, many: number) =>
      [
        answer(`o_${at}`, calls(`o${at}`, "Read", { file_path: `${at % many}` })),
        toolResult(`o${at}`, `${at}`)
      ] as const
    const interleaved = Array.from({ length: 12 }, (_, at) => [...poll(at), ...other(at, 2)]).flat()
    assert.isDefined(noProgressOf(after(...interleaved)))
    const varied = Array.from({ length: 12 }, (_, at) => [
      ...poll(at),
      ...Array.from({ length: 6 }, (_, n) => other(at * 6 + n, 100)).flat()
    ]).flat()
    assert.strictEqual(noProgressOf(after(...varied)), undefined)
  })

  it("gives the same answer again and again", () => {
    const still = (at: number) =>
      [answer(`msg_${at}`, says("Still waiting.")), result({ uuid: `${at}` })] as const
    assert.strictEqual(noProgressOf(after(...same(4, still))), undefined)
    assert.include(noProgressOf(after(...same(5, still))), "the same answer 5 times")
    const blocks = Array.from({ length: 9 }, () => answer("msg_1", says("Still waiting.")))
    assert.strictEqual(noProgressOf(after(...blocks)), undefined, "one answer, printed several times")
  })

  it("has every request refused", () => {
    const bad = failedAnswer("API Error: 400", "invalid_request", { api_error_status: 400 })
    assert.include(noProgressOf(after(bad, bad, bad)), "3 requests in a row refused")
    assert.strictEqual(noProgressOf(after(bad, bad, answer("msg_1", says("a")), bad)), undefined)
  })
})
