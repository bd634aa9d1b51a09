import * as fs from "node:fs"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { type AgentSeen, noAgent } from "../../../src/Domain/agent/AgentSeen.ts"
import { makeListeners } from "../../../src/Layers/concurrency/Listeners.ts"
import { feedAgent, promptText } from "../../../src/Layers/worker/AgentInput.ts"
import { agentWith, resultAt } from "../../fixtures/AgentPlans.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

const refusal = (file: string) =>
  Effect.map(Effect.flip(promptText({ file }, "demo")), ({ message }) => message)

describe("the prompt of an agent", () => {
  it.scopedLive("comes from the settings or its file, whole", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryHome, "prompt.md")
      fs.writeFileSync(file, "Do it.\nAll of it.\n", { mode: 0o600 })
      assert.strictEqual(yield* promptText({ file }, "demo"), "Do it.\nAll of it.\n")
      assert.strictEqual(yield* promptText({ text: "Do it." }, "demo"), "Do it.")
      assert.isUndefined(yield* promptText(undefined, "demo"))
    })
  )

  it.scopedLive(
    "that is missing, empty or writable by others starts nothing, and the reason names the file",
    () =>
      Effect.gen(function* () {
        const file = join(yield* temporaryHome, "prompt.md")
        assert.include(yield* refusal(file), `its prompt cannot be read: ${file} does not exist`)
        fs.writeFileSync(file, " \n\n", { mode: 0o600 })
        assert.include(yield* refusal(file), `${file} is empty`)
        fs.writeFileSync(file, "rm -rf everything")
        fs.chmodSync(file, 0o666)
        assert.match(yield* refusal(file), /prompt\.md .*chmod (go|o|g)-w/)
      })
  )
})

/** An agent that reads its input, and what the daemon has read of its output. */
const agentOn = Effect.gen(function* () {
  const stdin = new PassThrough()
  let text = ""
  let isOver = false
  stdin.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")))
  stdin.on("end", () => (isOver = true))
  let seen: AgentSeen = noAgent
  const { listen, tell } = makeListeners<[]>()
  const output = { agent: () => seen, onAgent: listen }
  const fiber = yield* Effect.fork(feedAgent(stdin, "Do it.\nAll of it.", output))
  const read = Effect.zipRight(
    Effect.promise(() => new Promise((resume) => setImmediate(resume))),
    Effect.sync(() =>
      text
        .split("\n")
        .filter((line) => line !== "")
        .map((line): { type: string; request?: unknown; message?: unknown } => JSON.parse(line))
    )
  )
  const pass = (seconds: number) => TestClock.adjust(seconds * 1000)
  const show = (next: AgentSeen) => {
    seen = next
    tell()
  }
  yield* pass(0)
  return { stdin, fiber, read, pass, isOver: () => isOver, show }
})

describe("the input of an agent", () => {
  it.effect("asks for the cost first, then gives the prompt in one line", () =>
    Effect.gen(function* () {
      const { fiber, read } = yield* agentOn
      const [asked, told, ...others] = yield* read
      assert.deepInclude(asked, { type: "control_request", request: { subtype: "get_usage" } })
      assert.deepInclude(told, { type: "user", message: { role: "user", content: "Do it.\nAll of it." } })
      assert.deepStrictEqual(others, [])
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect(
    "asks for the cost soon after an answer, later after another action, and never while nothing is printed",
    () =>
      Effect.gen(function* () {
        const { fiber, pass, read, show } = yield* agentOn
        const questions = Effect.map(
          read,
          (lines) => lines.filter(({ type }) => type === "control_request").length
        )
        yield* pass(4)
        show(agentWith({ turns: 1 }))
        yield* pass(1)
        assert.strictEqual(yield* questions, 2)
        yield* pass(3600)
        assert.strictEqual(yield* questions, 2, "nothing has changed since")
        show({ ...agentWith({ turns: 1 }), pace: { sinceMs: 0, actions: 1, spans: [] } })
        yield* pass(1)
        assert.strictEqual(yield* questions, 3, "a subagent works")
        show({ ...agentWith({ turns: 1 }), pace: { sinceMs: 0, actions: 2, spans: [] } })
        yield* pass(10)
        assert.strictEqual(yield* questions, 3, "the last question was a moment ago")
        yield* pass(10)
        assert.strictEqual(yield* questions, 4)
        yield* Fiber.interrupt(fiber)
      })
  )

  it.effect("ends after the result, with which the agent exits", () =>
    Effect.gen(function* () {
      const { fiber, isOver, pass, read, show } = yield* agentOn
      yield* pass(3)
      yield* read
      assert.isFalse(isOver())
      show(agentWith({ turns: 1, result: resultAt(0) }))
      yield* pass(1)
      yield* Fiber.join(fiber)
      yield* read
      assert.isTrue(isOver())
    })
  )

  it.effect("of an agent that has exited is given up, without an error", () =>
    Effect.gen(function* () {
      const { fiber, pass, stdin } = yield* agentOn
      stdin.emit("error", Object.assign(new Error("write EPIPE"), { code: "EPIPE" }))
      yield* pass(1)
      yield* Fiber.join(fiber)
      assert.isTrue(stdin.destroyed)
    })
  )
})
