import { assert, describe, it } from "@effect/vitest"
import type { CommandLine } from "../../../src/Domain/adapter/AgentAdapter.ts"
import { type GivenOptions, withGiven } from "../../../src/Domain/adapter/GivenOptions.ts"

/** Splits at spaces; `_` stands for one inside an argument. */
const argvOf = (words: string): CommandLine => {
  const [program = "", ...rest] = words.split(" ").map((word) => word.replaceAll("_", " "))
  return [program, ...rest]
}

const all: GivenOptions = { model: "opus", maxBudget: 5, maxTurns: 3 }

describe("the options of start before a command", () => {
  it.each([
    ["claude -p do_it", all, "claude --max-budget-usd 5 --max-turns 3 --model opus -p do_it"],
    [
      "/opt/claude -p do_it --model sonnet --max-turns 9",
      all,
      "/opt/claude --max-budget-usd 5 --max-turns 3 --model opus -p do_it"
    ],
    ["claude -p do_it", { maxTurns: 3 }, "claude --max-turns 3 -p do_it"],
    ["codex exec --json do_it", { model: "gpt-x" }, "codex exec --model gpt-x --json do_it"],
    ["codex -m gpt-a exec --json do_it", { model: "gpt-x" }, "codex exec --model gpt-x --json do_it"],
    ["gemini -p do_it -m a", { model: "b" }, "gemini --model b -p do_it"],
    ["qwen -p do_it", { model: "b" }, "qwen --model b -p do_it"],
    ["opencode run do_it", { model: "a/b" }, "opencode run --model a/b do_it"],
    ["sleep 5", {}, "sleep 5"]
  ] as const)("become those of the agent: %s", (words, given, expected) => {
    assert.deepStrictEqual(withGiven(argvOf(words), given), { argv: argvOf(expected), unpassed: [] })
  })

  it("are refused each where the program is no known agent, or has no such limit", () => {
    const unpassed = (words: string, given: GivenOptions) =>
      withGiven(argvOf(words), given).unpassed.map(({ option, reason }) => `${option} ${reason}`)
    const unknown = "cannot be passed to sleep, whose options autopilotd does not know"
    assert.deepStrictEqual(unpassed("/bin/sleep 5", all), [
      `model ${unknown}`,
      `maxBudget ${unknown}`,
      `maxTurns ${unknown}`
    ])
    assert.deepStrictEqual(unpassed("codex exec --json do_it", all), [
      "maxBudget cannot be passed to Codex, for which autopilotd knows no such limit",
      "maxTurns cannot be passed to Codex, for which autopilotd knows no such limit"
    ])
  })
})
