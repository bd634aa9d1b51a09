import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { AgentSeen, noAgent } from "../../../src/Domain/agent/AgentSeen.ts"
import { nextAgent } from "../../../src/Domain/agent/AgentStream.ts"
import {
  answer,
  calls,
  failedAnswer,
  init,
  rateLimit,
  refused,
  result,
  retry,
  says,
  toolResult
} from "../../fixtures/AgentLines.ts"

/** What is known after these lines, of which each comes a second after the one before. */
const after = (...lines: ReadonlyArray<string>): AgentSeen =>
  lines.reduce((state, line, at) => nextAgent(state, line, (at + 1) * 1000), noAgent)

const inFlight = (...lines: ReadonlyArray<string>) => after(init, ...lines).tools.map(({ id }) => id)

/** A result of a tool so long that its line is searched, not parsed. */
const long = (length = 200_000) => `\n"tool_use_id":"toolu_2" ${"x".repeat(length)}`

describe("what an agent says about itself", () => {
  it("has its session, its model and its turns", () => {
    const seen = after(init, answer("msg_1", says("Let me see")), answer("msg_1", calls("toolu_1")))
    assert.strictEqual(seen.sessionId, "a31e5a58-f990-41a1-8586-0f99850fd417")
    assert.strictEqual(seen.model, "claude-sonnet-5")
    assert.strictEqual(seen.turns, 1)
    assert.strictEqual(after(init, answer("msg_1", says("a")), answer("msg_2", says("b"))).turns, 2)
    assert.strictEqual(after(init, answer("msg_1", says("a"), "toolu_9")).turns, 0)
  })

  it("has the last word of its run, and none while it works on", () => {
    const seen = after(init, answer("msg_1", says("a")), result({ api_error_status: null }))
    assert.deepStrictEqual(seen.result, {
      atMs: 3000,
      subtype: "success",
      isError: false,
      text: "All is done.",
      turns: 12,
      costUsd: 0.4242,
      durationMs: 320_000,
      apiErrorStatus: undefined,
      terminalReason: "completed"
    })
    assert.strictEqual(nextAgent(seen, answer("msg_2", says("b")), 9000).result, undefined)
    const errors = ["Reached maximum number of turns (2)", "and more"]
    const ended = after(
      init,
      result({ subtype: "error_max_turns", is_error: true, result: undefined, errors })
    )
    assert.strictEqual(ended.result?.text, "Reached maximum number of turns (2); and more")
  })

  it("keeps a usage limit with the time of its reset, in seconds or in milliseconds", () => {
    for (const resetsAt of [1_795_387_907, 1_795_387_907_000]) {
      const info = { status: "rejected", resetsAt, rateLimitType: "five_hour", isUsingOverage: false }
      assert.deepStrictEqual(after(rateLimit(info)).rateLimit, {
        atMs: 1000,
        status: "rejected",
        type: "five_hour",
        resetsAtMs: 1_795_387_907_000,
        isUsingOverage: false
      })
    }
  })

  it("has the retry that goes on, until an answer has come", () => {
    const seen = after(init, retry(1, 529, "overloaded"), retry(2, null, "unknown"))
    assert.deepInclude(seen.retry, { attempt: 2, maxRetries: 10, delayMs: 545.42, status: undefined })
    assert.strictEqual(nextAgent(seen, answer("msg_1", says("at last")), 9).retry, undefined)
    assert.strictEqual(nextAgent(seen, failedAnswer("API Error", "overloaded"), 9).retry, seen.retry)
  })

  it("has the error that it showed last, which is no turn", () => {
    const seen = after(init, failedAnswer("Not logged in · Please run /login", "authentication_failed"))
    assert.deepInclude(seen.error, {
      atMs: 2000,
      text: "Not logged in · Please run /login",
      error: "authentication_failed"
    })
    assert.strictEqual(seen.turns, 0)
    assert.strictEqual(after(init, refused("API Error: 529", 529)).result?.apiErrorStatus, 529)
  })

  it("shortens what is long and shows what would drive a terminal", () => {
    const { result: last } = after(result({ result: `\u001b[2J${"x".repeat(5000)}`, is_error: true }))
    assert.isAtMost(last?.text.length ?? 0, 320)
    assert.match(last?.text ?? "", /^\\x1b\[2Jx+\.\.\.$/)
  })
})

describe("a tool", () => {
  it("is in flight from its call to its result", () => {
    const called = after(init, answer("msg_1", calls("toolu_1")), answer("msg_1", calls("toolu_2", "Read")))
    assert.deepStrictEqual(
      called.tools.map(({ id, name, sinceMs }) => ({ id, name, sinceMs })),
      [
        { id: "toolu_1", name: "Bash", sinceMs: 2000 },
        { id: "toolu_2", name: "Read", sinceMs: 3000 }
      ]
    )
    const one = nextAgent(called, toolResult("toolu_1", "ok"), 4000)
    assert.deepStrictEqual(
      one.tools.map(({ id }) => id),
      ["toolu_2"]
    )
    assert.deepStrictEqual(nextAgent(one, toolResult("toolu_2", "", { is_error: true }), 5000).tools, [])
  })

  it("of a subagent is in flight beside the call that has begun it", () => {
    const task = answer("msg_1", calls("toolu_1", "Task"))
    const own = answer("msg_2", calls("toolu_2"), "toolu_1")
    assert.deepStrictEqual(inFlight(task, own), ["toolu_1", "toolu_2"])
    assert.deepStrictEqual(inFlight(task, own, answer("msg_3", calls("toolu_3"), "toolu_1")), [
      "toolu_1",
      "toolu_3"
    ])
    assert.deepStrictEqual(inFlight(task, own, toolResult("toolu_2", "ok")), ["toolu_1"])
  })

  it("is over once the agent answers anew, or its run has ended, also where its result was lost", () => {
    const call = answer("msg_1", calls("toolu_1"))
    assert.deepStrictEqual(inFlight(call, answer("msg_2", says("on"))), [])
    assert.deepStrictEqual(inFlight(call, answer("msg_1", says("the same answer"))), ["toolu_1"])
    assert.deepStrictEqual(inFlight(call, result({})), [])
  })

  it("is closed by a result of any length, whatever stands in it, and by one that was cut off", () => {
    const call = [answer("msg_1", calls("toolu_1")), answer("msg_1", calls("toolu_2"))]
    const big = toolResult("toolu_1", long())
    assert.deepStrictEqual(inFlight(...call, big), ["toolu_2"])
    assert.deepStrictEqual(inFlight(...call, big.slice(0, 100_000)), ["toolu_2"])
    assert.deepStrictEqual(inFlight(...call, big.slice(0, 900)), ["toolu_2"])
  })

  it("is opened by a call of any length", () => {
    const input = { file_path: "/a", content: long() }
    const [tool] = after(init, answer("msg_1", calls("toolu_1", "Write", input), "toolu_0")).tools
    assert.deepInclude(tool, { id: "toolu_1", name: "Write", message: "msg_1", parent: "toolu_0" })
  })

  it("is forgotten when there are more than any agent has", () => {
    const lines = Array.from({ length: 500 }, (_, at) => answer("msg_1", calls(`toolu_${at}`)))
    const ids = inFlight(...lines)
    assert.strictEqual(ids.length, 64)
    assert.strictEqual(ids.at(-1), "toolu_499")
  })
})

describe("a last word that is cut off", () => {
  it("still says how the run has ended", () => {
    const whole = result({ subtype: "error_during_execution", is_error: true, result: "x".repeat(9000) })
    const { result: last } = after(init, whole.slice(0, 5000))
    assert.deepInclude(last, { subtype: "error_during_execution", isError: true, turns: 12, text: "" })
  })
})

describe("any other output", () => {
  it.each([
    "",
    "{",
    "[]",
    "null",
    '{"type":"result"}',
    '{"type":"result","subtype":"success","is_error":true}',
    '{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"toolu_1"}]}',
    '{"level":"info","type":"assistant"}',
    '{"type":"assistant","session_id":"","message":3}',
    `{"type":"system","subtype":"init","session_id":{}}`,
    `x ${init}`,
    "{".repeat(60_000)
  ])("leaves the state alone: %s", (line) => {
    assert.strictEqual(nextAgent(noAgent, line, 1), noAgent)
  })

  it("never throws and keeps nothing that grows, whatever the fields of a line hold", () => {
    const type = FastCheck.constantFrom("system", "assistant", "user", "result", "rate_limit_event")
    const subtype = FastCheck.oneof(
      FastCheck.constantFrom("init", "api_retry", "success"),
      FastCheck.jsonValue()
    )
    const content = FastCheck.oneof(
      FastCheck.jsonValue(),
      FastCheck.array(
        FastCheck.record({
          type: FastCheck.constantFrom("tool_use", "tool_result", "text"),
          id: FastCheck.jsonValue(),
          tool_use_id: FastCheck.jsonValue(),
          name: FastCheck.jsonValue(),
          text: FastCheck.jsonValue()
        })
      )
    )
    const any = FastCheck.jsonValue()
    const object = FastCheck.record(
      {
        type,
        subtype,
        session_id: FastCheck.oneof(FastCheck.constant("s"), any),
        message: FastCheck.oneof(any, FastCheck.record({ id: any, content }, { requiredKeys: [] })),
        parent_tool_use_id: any,
        rate_limit_info: FastCheck.oneof(any, FastCheck.record({ status: any, resetsAt: any })),
        attempt: any,
        result: any,
        errors: any,
        num_turns: any
      },
      { requiredKeys: ["type"] }
    )
    const lines = FastCheck.array(
      FastCheck.oneof(
        object.map((fields) => JSON.stringify(fields)),
        FastCheck.string(),
        FastCheck.tuple(object, FastCheck.nat(200)).map(([fields, length]) =>
          JSON.stringify(fields).slice(0, length)
        )
      )
    )
    const encode = Schema.encodeSync(AgentSeen)
    FastCheck.assert(
      FastCheck.property(lines, (some) => {
        const seen = after(...some)
        assert.isBelow(JSON.stringify(encode(seen)).length, 64 * 1000 + 5000)
      })
    )
  })
})
