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

/** The time before the first line. */
const startMs = 1_795_380_000_000

/** The state after these lines, one a second. */
const after = (...lines: ReadonlyArray<string>): AgentSeen =>
  lines.reduce((state, line, at) => nextAgent(state, line, startMs + (at + 1) * 1000), noAgent)

const inFlight = (...lines: ReadonlyArray<string>) => after(init, ...lines).tools.map(({ id }) => id)

/** The content of a result that makes its line too long to parse. It holds what resembles a key. */
const long = (length = 200_000) => `\n"tool_use_id":"toolu_2" ${"x".repeat(length)}`

describe("the state of an agent", () => {
  it("names its session and its model, and counts its turns without those of subagents", () => {
    const seen = after(init, answer("msg_1", says("Let me see")), answer("msg_1", calls("toolu_1")))
    assert.strictEqual(seen.sessionId, "a31e5a58-f990-41a1-8586-0f99850fd417")
    assert.strictEqual(seen.model, "claude-sonnet-5")
    assert.strictEqual(seen.turns, 1)
    assert.strictEqual(after(init, answer("msg_1", says("a")), answer("msg_2", says("b"))).turns, 2)
    assert.strictEqual(after(init, answer("msg_1", says("a"), "toolu_9")).turns, 0)
  })

  it("has the result of the last turn of the loop, and none while the agent works", () => {
    const seen = after(init, answer("msg_1", says("a")), result({ api_error_status: null }))
    assert.deepStrictEqual(seen.result, {
      atMs: startMs + 3000,
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
    assert.strictEqual(nextAgent(seen, init, 9000).result, undefined, "a wake-up begins a further turn")
    assert.strictEqual(nextAgent(seen, answer("msg_2", says("b"), "toolu_9"), 9000).result, seen.result)
    const errors = ["Reached maximum number of turns (2)", "and more"]
    const ended = after(
      init,
      result({ subtype: "error_max_turns", is_error: true, result: undefined, errors })
    )
    assert.strictEqual(ended.result?.text, "Reached maximum number of turns (2); and more")
    assert.strictEqual(nextAgent(ended, init, 9000).result, ended.result, "an error is not forgotten")
  })

  it("has the result and the error of the last of several turns", () => {
    const lines = [
      init,
      failedAnswer("API Error: 529", "overloaded"),
      refused("API Error: 529", 529),
      init,
      answer("msg_2", says("b")),
      result({ result: "It is over.", num_turns: 1 })
    ]
    assert.deepInclude(after(...lines).result, { text: "It is over.", isError: false, turns: 2 })
    assert.strictEqual(after(...lines).error, undefined)
    assert.deepInclude(after(...lines, init, failedAnswer("Not logged in", "authentication_failed")), {
      result: undefined,
      error: {
        atMs: startMs + 8000,
        text: "Not logged in",
        error: "authentication_failed",
        status: undefined
      }
    })
  })

  it("has a usage limit with the time of its reset, in seconds or in milliseconds", () => {
    for (const resetsAt of [1_795_387_907, 1_795_387_907_000]) {
      const info = { status: "rejected", resetsAt, rateLimitType: "five_hour", isUsingOverage: false }
      assert.deepInclude(after(rateLimit(info)).rateLimit, {
        atMs: startMs + 1000,
        status: "rejected",
        type: "five_hour",
        resetsAtMs: 1_795_387_907_000,
        isUsingOverage: false
      })
    }
  })

  it.each([1_764_300_000_000_000, startMs + 33 * 86_400_000, startMs, -1, 0, 1e308, "tomorrow"])(
    "has a usage limit without a time when its reset is no time in the next month: %s",
    (resetsAt) => {
      const { rateLimit: limit } = after(rateLimit({ status: "rejected", resetsAt }))
      assert.strictEqual(limit?.status, "rejected")
      assert.strictEqual(limit?.resetsAtMs, undefined)
    }
  )

  it("has no secret in the texts of its errors and its result, also where they are cut", () => {
    const secret = "sk-ant-0123456789-".repeat(20)
    const mask = (text: string) => text.replaceAll(secret, "****")
    const text = `The key ${secret} is refused`
    for (const line of [refused(text, 401), failedAnswer(text, "authentication_failed")]) {
      const seen = nextAgent(nextAgent(noAgent, init, startMs), line, startMs, mask)
      assert.strictEqual((seen.result ?? seen.error)?.text, "The key **** is refused")
    }
  })

  it("has the last retry of a request until the next answer", () => {
    const seen = after(init, retry(1, 529, "overloaded"), retry(2, null, "unknown"))
    assert.deepInclude(seen.retry, { attempt: 2, maxRetries: 10, delayMs: 545.42, status: undefined })
    assert.strictEqual(nextAgent(seen, answer("msg_1", says("at last")), 9).retry, undefined)
    assert.strictEqual(nextAgent(seen, failedAnswer("API Error", "overloaded"), 9).retry, seen.retry)
  })

  it("has the last error of the agent, which is no turn", () => {
    const seen = after(init, failedAnswer("Not logged in · Please run /login", "authentication_failed"))
    assert.deepInclude(seen.error, {
      atMs: startMs + 2000,
      text: "Not logged in · Please run /login",
      error: "authentication_failed"
    })
    assert.strictEqual(seen.turns, 0)
    assert.strictEqual(after(init, refused("API Error: 529", 529)).result?.apiErrorStatus, 529)
  })

  it("has shortened texts without escape sequences, and with every other control character escaped", () => {
    const text = `\u001b[2J\u001b[31m\u0007${"x".repeat(5000)}`
    const { result: last } = after(result({ result: text, is_error: true }))
    assert.isAtMost(last?.text.length ?? 0, 320)
    assert.match(last?.text ?? "", /^\\x07x+\.\.\.$/)
  })
})

describe("a tool", () => {
  it("is in flight from its call to its result", () => {
    const called = after(init, answer("msg_1", calls("toolu_1")), answer("msg_1", calls("toolu_2", "Read")))
    assert.deepStrictEqual(
      called.tools.map(({ id, name, sinceMs }) => ({ id, name, sinceMs })),
      [
        { id: "toolu_1", name: "Bash", sinceMs: startMs + 2000 },
        { id: "toolu_2", name: "Read", sinceMs: startMs + 3000 }
      ]
    )
    const one = nextAgent(called, toolResult("toolu_1", "ok"), 4000)
    assert.deepStrictEqual(
      one.tools.map(({ id }) => id),
      ["toolu_2"]
    )
    assert.deepStrictEqual(nextAgent(one, toolResult("toolu_2", "", { is_error: true }), 5000).tools, [])
  })

  it("of a subagent is in flight beside the call that started the subagent", () => {
    const task = answer("msg_1", calls("toolu_1", "Task"))
    const own = answer("msg_2", calls("toolu_2"), "toolu_1")
    assert.deepStrictEqual(inFlight(task, own), ["toolu_1", "toolu_2"])
    assert.deepStrictEqual(inFlight(task, own, answer("msg_3", calls("toolu_3"), "toolu_1")), [
      "toolu_1",
      "toolu_3"
    ])
    assert.deepStrictEqual(inFlight(task, own, toolResult("toolu_2", "ok")), ["toolu_1"])
  })

  it("is over with the next answer or the result of the run, even when its own result was lost", () => {
    const call = answer("msg_1", calls("toolu_1"))
    assert.deepStrictEqual(inFlight(call, answer("msg_2", says("on"))), [])
    assert.deepStrictEqual(inFlight(call, answer("msg_1", says("the same answer"))), ["toolu_1"])
    assert.deepStrictEqual(inFlight(call, result({})), [])
  })

  it("is over with a result of any length and content, and with one that was cut", () => {
    const call = [answer("msg_1", calls("toolu_1")), answer("msg_1", calls("toolu_2"))]
    const big = toolResult("toolu_1", long())
    assert.deepStrictEqual(inFlight(...call, big), ["toolu_2"])
    assert.deepStrictEqual(inFlight(...call, big.slice(0, 100_000)), ["toolu_2"])
    assert.deepStrictEqual(inFlight(...call, big.slice(0, 900)), ["toolu_2"])
  })

  it("is in flight after a call of any length", () => {
    const input = { file_path: "/a", content: long() }
    const [tool] = after(init, answer("msg_1", calls("toolu_1", "Write", input), "toolu_0")).tools
    assert.deepInclude(tool, { id: "toolu_1", name: "Write", message: "msg_1", parent: "toolu_0" })
  })

  it("counts as finished when more than 64 others follow", () => {
    const lines = Array.from({ length: 500 }, (_, at) => answer("msg_1", calls(`toolu_${at}`)))
    const ids = inFlight(...lines)
    assert.strictEqual(ids.length, 64)
    assert.strictEqual(ids.at(-1), "toolu_499")
  })
})

describe("a result that was cut", () => {
  it("still has its figures", () => {
    const whole = result({ subtype: "error_during_execution", is_error: true, result: "x".repeat(9000) })
    const { result: last } = after(init, whole.slice(0, 5000))
    assert.deepInclude(last, { subtype: "error_during_execution", isError: true, turns: 12, text: "" })
  })

  it("is no error because of a tool's error that it lists", () => {
    const denied = [{ tool_use_id: "toolu_1", tool_input: { is_error: true, num_turns: 99, subtype: "x" } }]
    const whole = result({ permission_denials: denied, result: "x".repeat(9000) })
    const reordered = `{"permission_denials":${JSON.stringify(denied)},${whole.slice(1)}`
    assert.deepInclude(after(init, reordered.slice(0, 5000)).result, {
      subtype: "success",
      isError: false,
      turns: 12
    })
  })

  it("is found wherever its type stands, and not in a tool's result", () => {
    const figures = '{"is_error":true,"num_turns":3,"subtype":"success","result":"'
    assert.deepInclude(after(init, figures).result, { isError: true, turns: 3 })
    const inside = `{"type":"user","tool_use_result":{"num_turns":3,"subtype":"success"},"message":{"x":"`
    assert.strictEqual(after(init, inside).result, undefined)
  })
})

describe("a line without its session", () => {
  it("is one of the stream after a line that names it, and not before", () => {
    const result =
      '{"type":"result","subtype":"success","is_error":true,"result":"Claude AI usage limit reached|1"}'
    assert.strictEqual(after(result), noAgent)
    const seen = after(init, result)
    assert.strictEqual(seen.result?.text, "Claude AI usage limit reached|1")
    assert.strictEqual(seen.sessionId, after(init).sessionId)
    assert.isUndefined(after(init, '{"type":"result"}').result)
  })
})

describe("a line that is none of the stream", () => {
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
  ])("leaves the state unchanged: %s", (line) => {
    assert.strictEqual(nextAgent(noAgent, line, 1), noAgent)
  })

  it.each([1000, 5000, 100_000])("never throws when it is nested %d deep", (depth) => {
    const nested = `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`
    for (const key of ["content", "errors", "rate_limit_info", "message"]) {
      for (const type of ["assistant", "user", "result", "system", "rate_limit_event"])
        assert.isObject(
          after(init, `{"type":"${type}","session_id":"s","num_turns":1,"subtype":"init","${key}":${nested}}`)
        )
    }
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
