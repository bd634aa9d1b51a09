import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { renderAgentLine } from "../../../src/Domain/adapter/AgentText.ts"
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
import { zoneNamed } from "../../fixtures/Zones.ts"

const readAtMs = 1_795_380_000_000
const plain = (line: string, width?: number) =>
  renderAgentLine(line, { colour: false, readAtMs, ...(width === undefined ? {} : { width }) })
const call = (name: string, input: object) => plain(answer("msg_1", calls("toolu_1", name, input)))

/** Control characters and invisible ones, but for line breaks and tabs. */
const acting = /(?!\n|\t)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u
const withoutColours = (text: string) => text.replaceAll(/\p{Cc}\[[0-9;:]*m/gu, "")

describe("a line of the stream on a terminal", () => {
  it("names the session, its model and its folder at the start", () => {
    assert.strictEqual(plain(init), "* session a31e5a58-f990-41a1-8586-0f99850fd417, claude-sonnet-5, /work")
  })

  it("shows an answer in full, line by line", () => {
    assert.strictEqual(plain(answer("msg_1", says("First.\n\n\tThen.\n"))), "First.\n\n\tThen.")
  })

  it.each([
    ["Bash", { command: "npm test", description: "Run the tests" }, "> Bash npm test"],
    ["Bash", { command: "cat <<X\na\nX" }, "> Bash cat <<X\\na\\nX"],
    ["Edit", { file_path: "/a.ts", old_string: "x", new_string: "y" }, "> Edit /a.ts"],
    ["Grep", { pattern: "foo.*", path: "src" }, "> Grep foo.* in src"],
    ["WebSearch", { query: "effect" }, "> WebSearch effect"],
    ["Task", { description: "Look around", prompt: "Please ..." }, "> Task Look around"],
    ["mcp__x__y", { a: [1] }, '> mcp__x__y {"a":[1]}'],
    ["ExitPlanMode", {}, "> ExitPlanMode"],
    [
      "TodoWrite",
      {
        todos: [
          { content: "a", status: "completed" },
          { content: "b", status: "in_progress", activeForm: "Doing b" },
          { content: "c", status: "pending" }
        ]
      },
      "> TodoWrite 1 of 3 done, now: Doing b"
    ]
  ])("names the tool %s and the most descriptive part of its input", (name, input, text) => {
    assert.strictEqual(call(name, input), text)
  })

  it("shortens the input and the result of a tool", () => {
    assert.strictEqual(
      plain(answer("msg_1", calls("toolu_1", "Bash", { command: "x".repeat(500) })), 40),
      `> Bash ${"x".repeat(37)}...`
    )
    assert.strictEqual(plain(toolResult("toolu_1", "a\n\nb\nc\nd\ne")), "  a\n  b\n  c\n  ... 2 more lines")
    assert.strictEqual(plain(toolResult("toolu_1", "")), "  (no output)")
    assert.strictEqual(
      plain(toolResult("toolu_1", [says("one"), { type: "image", source: {} }])),
      "  one\n  [an image]"
    )
    assert.strictEqual(
      plain(toolResult("toolu_1", "Exit code 1", { is_error: true })),
      "  error:\n  Exit code 1"
    )
  })

  it("indents the answers of a subagent", () => {
    assert.strictEqual(plain(answer("msg_1", says("I look\naround"), "toolu_1")), "    I look\n    around")
  })

  it("reports retries and usage limits", () => {
    assert.strictEqual(
      plain(retry(3, 529, "overloaded")),
      "! The API answered with status 529 (overloaded): attempt 3 of 10, again in 0.5 seconds"
    )
    assert.strictEqual(
      plain(retry(1, null, "unknown")),
      "! The API did not answer: attempt 1 of 10, again in 0.5 seconds"
    )
    const limit = { status: "rejected", resetsAt: 1_795_387_907, rateLimitType: "five_hour" }
    assert.strictEqual(
      plain(rateLimit(limit)),
      "! The usage limit is reached (five_hour), it resets at 2026-11-22 22:51:47 UTC"
    )
    const zone = zoneNamed("Asia/Shanghai")
    assert.strictEqual(
      renderAgentLine(rateLimit({ ...limit, status: "allowed_warning", utilization: 0.823 }), {
        colour: false,
        readAtMs,
        zone
      }),
      "! The usage limit is near (five_hour): 82 % used, it resets at 2026-11-23 06:51:47"
    )
    assert.strictEqual(plain(rateLimit({ status: "allowed", utilization: 0.1 })), undefined)
    const noTime = rateLimit({ status: "rejected", resetsAt: 1_764_300_000_000_000 })
    assert.strictEqual(plain(noTime), "! The usage limit is reached")
  })

  it("shows the result with turns, cost and duration", () => {
    assert.strictEqual(plain(result({})), "* Done (12 turns, $0.42, 5 min 20 s)")
    assert.strictEqual(
      plain(refused("You've hit your session limit · resets 3pm", 429)),
      "* Ended with an error (1 turn, $0.00, 5 min 20 s): You've hit your session limit · resets 3pm"
    )
    assert.strictEqual(
      plain(result({ subtype: "error_max_turns", result: undefined, total_cost_usd: 0.0123 })),
      "* Ended with an error (12 turns, $0.0123, 5 min 20 s): error_max_turns"
    )
  })

  it("is left out when a reader does not need it", () => {
    const silent = [
      '{"type":"stream_event","event":{},"session_id":"a"}',
      '{"type":"control_response","response":{"subtype":"success","request_id":"r1"}}',
      '{"type":"control_request","request_id":"r1","request":{}}'
    ]
    const thinks = answer("msg_1", { type: "thinking", thinking: "hm" })
    const hook = JSON.stringify({ type: "system", subtype: "hook_started", session_id: "a" })
    for (const line of [...silent, thinks, hook]) assert.strictEqual(plain(line), undefined)
  })

  it("has colours only where there is colour, and errors are red", () => {
    const red = renderAgentLine(failedAnswer("API Error: 500", "server_error"), { colour: true })
    assert.strictEqual(red, "\u001b[31mAPI Error: 500\u001b[0m")
    assert.strictEqual(plain(failedAnswer("API Error: 500", "server_error")), "API Error: 500")
  })
})

describe("a line that is none of the stream", () => {
  it.each([
    ["", ""],
    ["plain text\twith a tab", "plain text\twith a tab"],
    ['{"level":"info"}', '{"level":"info"}'],
    ['{"type":"user","session_id":', '{"type":"user","session_id":'],
    ['{"type":"control_reset","request_id":"r1"}', '{"type":"control_reset","request_id":"r1"}'],
    ['{"type":"stream_event","msg":"no session"}', '{"type":"stream_event","msg":"no session"}'],
    [
      '{"msg":"\\"type\\":\\"keep_alive\\"","session_id":"a"}',
      '{"msg":"\\"type\\":\\"keep_alive\\"","session_id":"a"}'
    ],
    ["a line of Windows\r", "a line of Windows"],
    ["10 %\r20 %\0", "10 %\\r20 %\\x00"],
    ["\u001b[32mgreen\u001b[0m", "green"],
    ["\u001b]0;title\u0007x\u001b[2J", "\\x1b]0;title\\x07x\\x1b[2J"],
    ["\u009b31mred\u202e", "\\u009b31mred\\u202e"]
  ])("is shown unchanged but for its control characters: %j", (line, shown) =>
    assert.strictEqual(plain(line), shown)
  )

  it("keeps its colours where there is colour, and they end with it", () => {
    assert.strictEqual(
      renderAgentLine("\u001b[1;32mok\u001b[2K", { colour: true }),
      "\u001b[1;32mok\\x1b[2K\u001b[0m"
    )
  })
})

describe("whatever a worker prints", () => {
  it.each([1000, 5000, 100_000])("is shown when it is nested %d deep", (depth) => {
    const nested = `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`
    for (const [type, block] of [
      ["assistant", `{"type":"tool_use","id":"t","name":"Bash","input":${nested}}`],
      ["user", `{"type":"tool_result","content":${nested}}`]
    ]) {
      const line = `{"type":"${type}","session_id":"s","message":{"id":"msg_1","content":[${block}]}}`
      assert.isAbove(plain(line)?.length ?? 0, 5)
    }
    assert.isString(plain(`{"type":"result","session_id":"s","errors":${nested}}`))
  })

  it("is rendered without an error, and cannot drive the terminal", () => {
    const nasty = FastCheck.oneof(
      FastCheck.string({ unit: "binary" }),
      FastCheck.constantFrom("\u001b[2J", "\u001b[31m", "a\rb", "\u202e", "\u0085", "\ud800", "\u001b")
    )
    const any = FastCheck.oneof(FastCheck.jsonValue(), nasty)
    const blocks = FastCheck.array(
      FastCheck.record({
        type: FastCheck.constantFrom("text", "tool_use", "tool_result", "thinking"),
        text: any,
        name: any,
        input: FastCheck.oneof(
          any,
          FastCheck.dictionary(FastCheck.constantFrom("command", "todos", "path"), any)
        ),
        content: any,
        is_error: FastCheck.boolean()
      })
    )
    const object = FastCheck.record(
      {
        type: FastCheck.constantFrom("system", "assistant", "user", "result", "rate_limit_event"),
        subtype: FastCheck.constantFrom(
          "init",
          "api_retry",
          "task_notification",
          "success",
          "error_max_turns"
        ),
        session_id: FastCheck.constant("s"),
        message: FastCheck.record({ content: blocks }),
        rate_limit_info: FastCheck.record({
          status: FastCheck.constantFrom("rejected", "allowed_warning"),
          resetsAt: FastCheck.oneof(any, FastCheck.double()),
          rateLimitType: any
        }),
        parent_tool_use_id: any,
        cwd: any,
        error: any,
        result: any,
        errors: any,
        summary: any,
        num_turns: FastCheck.oneof(any, FastCheck.double()),
        duration_ms: FastCheck.oneof(any, FastCheck.double()),
        total_cost_usd: FastCheck.oneof(any, FastCheck.double())
      },
      { requiredKeys: ["type", "session_id"] }
    )
    const line = FastCheck.oneof(
      object.map((fields) => JSON.stringify(fields)),
      nasty
    )
    FastCheck.assert(
      FastCheck.property(line, FastCheck.boolean(), FastCheck.integer(), (text, colour, width) => {
        const shown = renderAgentLine(text, { colour, width })
        if (shown === undefined) return
        assert.notMatch(withoutColours(shown), acting)
        if (!colour) assert.notInclude(shown, "\u001b")
        else assert.strictEqual(shown.lastIndexOf("\u001b["), Math.max(shown.lastIndexOf("\u001b[0m"), -1))
      })
    )
  })
})
