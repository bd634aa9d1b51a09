import * as fs from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { adapters } from "../../../src/Domain/adapter/AgentAdapters.ts"
import { isAgentLine, readAgentLine } from "../../../src/Domain/adapter/AgentReader.ts"
import { renderAgentLine } from "../../../src/Domain/adapter/AgentText.ts"
import type { AgentName } from "../../../src/Domain/agent/AgentName.ts"
import { AgentSeen, noAgent } from "../../../src/Domain/agent/AgentSeen.ts"
import { spentOf } from "../../../src/Domain/agent/AgentSpent.ts"
import { answer, init } from "../../fixtures/AgentLines.ts"

const startMs = 1_795_380_000_000

/** The state after these lines, one a second. */
const after = (...lines: ReadonlyArray<string>): AgentSeen =>
  lines.reduce((seen, line, at) => readAgentLine(seen, line, startMs + at * 1000), noAgent)

const folder = resolve(import.meta.dirname, "../../fixtures/recorded")

const recorded = (version: string, name: string): ReadonlyArray<string> =>
  fs
    .readFileSync(join(folder, version, `${name}.ndjson`), "utf8")
    .split("\n")
    .filter((line) => line !== "")

const json = (object: object): string => JSON.stringify(object)

const openings: Readonly<Record<AgentName, string>> = {
  claude: init,
  codex: recorded("codex-0.171.0", "codex-success")[0] ?? "",
  gemini: recorded("gemini-0.61.0", "gemini-success")[0] ?? "",
  qwen: recorded("qwen-0.15.10", "qwen-success")[0] ?? "",
  opencode: recorded("opencode-1.18.33", "opencode-success")[0] ?? ""
}
const names = Object.values(adapters).map(({ name }) => name)

interface Told {
  readonly turns: number
  readonly model: string | undefined
  readonly usd: number | undefined
  readonly input: number
  readonly output: number
}

describe("an agent", () => {
  it.each(names)("%s is recognised by its first line, whatever program printed it", (name) => {
    assert.strictEqual(after("Starting ...", '{"level":"info"}', openings[name]).agent, name)
  })

  it("stays the one that was recognised first", () => {
    const seen = after(openings.codex, openings.claude, openings.gemini)
    assert.strictEqual(seen.agent, "codex")
    assert.deepStrictEqual(seen, after(openings.codex))
  })

  it("has an exact cost in mid-run: it has told before its first line what earlier processes had spent", () => {
    const told = (id: number, usd: number, usage: object = {}) =>
      json({
        type: "control_response",
        response: {
          subtype: "success",
          request_id: `autopilotd-${id}`,
          response: { session: { total_cost_usd: usd, model_usage: usage } }
        }
      })
    const answered = [init, answer("msg_1", [{ type: "text", text: "Hm." }])]
    const seen = after(told(0, 0.3), ...answered, told(5, 0.42))
    assert.strictEqual(seen.agent, "claude")
    assert.deepInclude(spentOf(seen.cost), { costUsd: 0.12, isExact: true, answersSince: 0 })
    assert.strictEqual(spentOf(after(...answered, told(5, 0.42)).cost).isExact, false)
    const foreign = told(0, 0.3).replace("autopilotd-", "other-")
    assert.deepStrictEqual(after(foreign), noAgent)
  })

  it("is not recognised by lines that any program may print", () => {
    for (const line of [
      '{"type":"error","message":"boom"}',
      '{"type":"turn.failed","error":{"message":"x"}}',
      '{"type":"message","role":"assistant","content":"x"}',
      '{"type":"error","timestamp":1,"message":"x"}',
      '{"type":"thread.started"}',
      '{"type":"init","timestamp":"2026-11-28T22:00:06.261Z"}'
    ]) {
      assert.strictEqual(after(line), noAgent)
    }
    assert.isFalse(isAgentLine(noAgent, '{"type":"error","message":"boom"}'))
  })

  it.each<readonly [AgentName, string, Told]>([
    ["codex", "codex-0.171.0", { turns: 2, model: undefined, usd: undefined, input: 3000, output: 150 }],
    [
      "gemini",
      "gemini-0.61.0",
      { turns: 2, model: "gemini-2.5-pro", usd: undefined, input: 2000, output: 100 }
    ],
    ["qwen", "qwen-0.15.10", { turns: 2, model: "qwen-stub", usd: undefined, input: 2000, output: 100 }],
    ["opencode", "opencode-1.18.33", { turns: 2, model: undefined, usd: 0.0075, input: 2000, output: 100 }]
  ])("%s tells its session, turns, tools, last answer, tokens and cost", (name, version, told) => {
    const seen = after(...recorded(version, `${name}-success`))
    const spent = spentOf(seen.cost)
    assert.deepInclude(seen, {
      agent: name,
      turns: told.turns,
      tools: [],
      error: undefined
    })
    assert.deepInclude(seen.result, { isError: false, subtype: "success", text: "All done.", turns: 2 })
    assert.strictEqual(seen.model, told.model)
    assert.match(seen.sessionId ?? "", /^(?:[\da-f-]{36}|ses_\w+)$/)
    assert.match(seen.work.lastCall?.input ?? "", /\becho hi\b/)
    assert.strictEqual(seen.work.lastAnswer?.text, "All done.")
    assert.strictEqual(spent.costUsd, told.usd)
    assert.deepStrictEqual(spent.tokens, {
      input: told.input,
      output: told.output,
      cacheRead: 0,
      cacheCreation: 0
    })
  })

  it.each([
    ["codex-0.171.0", "codex-sigint", "command_execution"],
    ["gemini-0.61.0", "gemini-sigint", "run_shell_command"]
  ])("has a tool in flight until it returns: %s", (version, name, tool) => {
    const seen = after(...recorded(version, name))
    assert.deepStrictEqual(
      seen.tools.map((one) => one.name),
      [tool]
    )
    assert.isUndefined(seen.result)
  })

  it("has the retries of a request while they last, with the status of the API", () => {
    const lines = recorded("codex-0.171.0", "codex-503")
    assert.deepInclude(after(...lines.slice(0, 4)).retry, { attempt: 1, maxRetries: 1, status: 503 })
    assert.isUndefined(after(...lines).retry)
    assert.deepInclude(after(...lines).result, { isError: true, apiErrorStatus: 503 })
  })

  it("has one answer of many parts, with one text", () => {
    const part = (content: string) =>
      json({
        type: "message",
        timestamp: "2026-11-28T22:00:06.317Z",
        role: "assistant",
        content,
        delta: true
      })
    const seen = after(openings.gemini, part("I "), part("look "), part("around."))
    assert.strictEqual(seen.turns, 1)
    assert.strictEqual(seen.work.lastAnswer?.text, "I look around.")
    assert.strictEqual(seen.pace?.actions, 1)
  })

  it("that failed without an exit code says so in its last answer", () => {
    assert.deepInclude(after(...recorded("qwen-0.15.10", "qwen-401")).result, {
      isError: true,
      apiErrorStatus: 401,
      text: "API Error: 401 Incorrect API key"
    })
    const quoted = "The log has [API Error: 401 x] in it"
    const told = json({
      type: "result",
      subtype: "success",
      session_id: "s",
      is_error: false,
      result: quoted
    })
    assert.deepInclude(after(openings.qwen, told).result, { isError: false, text: quoted })
  })

  it("has no secret in the texts of its errors, also where they are cut", () => {
    const secret = "sk-0123456789-".repeat(30)
    const mask = (text: string) => text.replaceAll(secret, "****")
    const message = `The key ${secret} is refused`
    const lines: Partial<Record<AgentName, string>> = {
      codex: json({ type: "turn.failed", error: { message } }),
      gemini: json({
        type: "result",
        timestamp: "2026-11-28T22:00:06.317Z",
        status: "error",
        error: { message }
      }),
      qwen: json({ type: "result", subtype: "success", session_id: "s", result: `[API Error: ${message}]` }),
      opencode: json({
        type: "error",
        timestamp: 1,
        sessionID: "ses_1",
        error: { name: "E", data: { message } }
      })
    }
    for (const [name, line] of Object.entries(lines)) {
      const begun = after(Object.entries(openings).find(([one]) => one === name)?.[1] ?? "")
      const seen = readAgentLine(begun, line, startMs, mask)
      assert.match((seen.result ?? seen.error)?.text ?? "", /The key \*\*\*\* is refused$/)
    }
  })
})

describe("a line that is too long to parse, or cut,", () => {
  const output = "x".repeat(200_000)
  const codexEnd = json({
    type: "item.completed",
    item: {
      id: "item_1",
      type: "command_execution",
      command: "a",
      aggregated_output: output,
      status: "completed"
    }
  })
  const geminiEnd = json({
    type: "tool_result",
    timestamp: "2026-11-28T22:00:06.484Z",
    tool_id: "run_shell_command__run_shell_command_1795903309306_0",
    status: "success",
    output
  })

  it.each([
    ["codex-0.171.0", "codex-sigint", codexEnd],
    ["gemini-0.61.0", "gemini-sigint", geminiEnd]
  ])("still ends the call of its tool: %s", (version, name, line) => {
    const begun = recorded(version, name)
    for (const text of [line, line.slice(0, 100_000), line.slice(0, 500)])
      assert.deepStrictEqual(after(...begun, text).tools, [])
  })
})

describe("a hostile line", () => {
  const keys =
    `type item id text message error thread_id usage input_tokens status tool_id tool_name parameters output
    timestamp session_id sessionID part messageID callID state tool tokens cost cache reason role content stats delta data
    statusCode name subtype result num_turns is_error`.split(/\s+/)
  const types =
    `thread.started turn.started turn.completed turn.failed item.started item.completed error init message
    tool_use tool_result result step_start step_finish text system assistant user`.split(/\s+/)
  const leaf = FastCheck.oneof(
    FastCheck.jsonValue({ maxDepth: 1 }),
    FastCheck.constantFrom("success", "error", "stop", "assistant", "agent_message", "command_execution", -1)
  )
  const inner = FastCheck.dictionary(FastCheck.constantFrom(...keys), leaf, { maxKeys: 6 })
  const object = FastCheck.dictionary(FastCheck.constantFrom(...keys), FastCheck.oneof(leaf, inner), {
    maxKeys: 8
  })
  const line = FastCheck.tuple(
    FastCheck.constantFrom(...types),
    FastCheck.constantFrom(
      {},
      { timestamp: "2026-11-28T22:00:06.484Z" },
      { timestamp: 1, sessionID: "ses_1" }
    ),
    object,
    FastCheck.nat(300)
  ).map(([type, head, rest, length]) => {
    const whole = json({ type, ...head, ...rest, ...head })
    return length < 200 ? whole : whole.slice(0, length)
  })

  it.each(names)("of %s throws nothing and keeps nothing that grows", (name) => {
    const encode = Schema.encodeSync(AgentSeen)
    FastCheck.assert(
      FastCheck.property(FastCheck.array(line, { maxLength: 12 }), (lines) => {
        const seen = after(openings[name], ...lines)
        assert.strictEqual(seen.agent, name)
        assert.isBelow(json(encode(seen)).length, 100_000)
        for (const text of lines) renderAgentLine(text, { colour: false })
      })
    )
  })

  it.each(names)("of %s may be nested as deep as it likes", (name) => {
    const heads = ["", '"timestamp":"2026-11-28T22:00:06.484Z",', '"timestamp":1,"sessionID":"s",']
    for (const depth of [1000, 5000, 60_000]) {
      const nested = `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`
      for (const type of depth > 5000 ? ["item.started", "tool_use", "error"] : types) {
        for (const head of heads) {
          const text = `{"type":"${type}",${head}"item":${nested},"part":${nested},"parameters":${nested}}`
          assert.isObject(after(openings[name], text))
          if (depth === 5000) renderAgentLine(text, { colour: false })
        }
      }
    }
  })

  it.each(names)("of %s and a megabyte changes no more than a short one", (name) => {
    const long = "x".repeat(1_000_000)
    for (const type of types) {
      const seen = after(
        openings[name],
        json({ type, message: long, text: long, id: long, item: { id: long } })
      )
      assert.isBelow(json(seen).length, 20_000)
    }
  })

  it("that is an answer of another agent is ignored", () => {
    assert.strictEqual(after(openings.codex, answer("msg_1", {})).turns, 0)
  })
})

describe("a recorded run", () => {
  it.each(fs.readdirSync(folder).filter((name) => name.includes("-")))("of %s names its agent", (version) => {
    const files = fs.readdirSync(join(folder, version)).filter((name) => name.endsWith(".ndjson"))
    const agents = files.map((file) => after(...recorded(version, file.replace(".ndjson", ""))).agent)
    // Some runs printed nothing.
    assert.deepStrictEqual(
      agents.filter((agent) => agent !== undefined && !version.startsWith(agent)),
      []
    )
    assert.isAbove(agents.filter((agent) => agent !== undefined).length, files.length / 2)
  })
})
