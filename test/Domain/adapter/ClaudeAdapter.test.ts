import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import type { CommandLine } from "../../../src/Domain/adapter/AgentAdapter.ts"
import { claude } from "../../../src/Domain/adapter/ClaudeAdapter.ts"
import { noAgent } from "../../../src/Domain/agent/AgentSeen.ts"

const id = "a31e5a58-f990-41a1-8586-0f99850fd417"
const stream = ["--output-format", "stream-json", "--verbose"]

describe("a command line of Claude Code", () => {
  it.each<{ readonly argv: CommandLine }>([
    { argv: ["claude", "-p", "do it", ...stream] },
    { argv: ["/usr/local/bin/claude", "--print", "--output-format=stream-json", "--verbose", "do it"] },
    { argv: ["claude", "--no-such-option", "-p", ...stream, "do it"] }
  ])("is recognised: $argv", ({ argv }) => {
    assert.isTrue(claude.runs(argv))
  })

  it.each<{ readonly argv: CommandLine }>([
    { argv: ["claude", "do it"] },
    { argv: ["claude", "-p", "do it"] },
    { argv: ["claude", "-p", "--output-format", "json", "do it"] },
    { argv: ["claude", ...stream, "do it"] },
    { argv: ["claude", "-p", ...stream, "--bg", "do it"] },
    { argv: ["claude", "mcp", "-p", ...stream] },
    { argv: ["claude", "--system-prompt", "-p", ...stream, "do it"] },
    { argv: ["claude", "--", "-p", ...stream] },
    { argv: ["bash", "-c", "claude -p --output-format stream-json x"] }
  ])("is none that prints the stream: $argv", ({ argv }) => {
    assert.isFalse(claude.runs(argv))
    assert.isUndefined(claude.first(argv, id))
    assert.isUndefined(claude.resume(argv, id, "Go on."))
  })

  it("begins under the session id that the daemon chooses", () => {
    assert.deepStrictEqual(claude.first(["claude", "-p", "do it", ...stream], id), [
      "claude",
      "--session-id",
      id,
      "-p",
      "do it",
      ...stream
    ])
  })

  it.each([
    [["--session-id", "x"]],
    [["--resume", "x"]],
    [["-r", "x"]],
    [["-c"]],
    [["--continue"]],
    [["--resume=x"]],
    [["--no-session-persistence"]]
  ])("keeps the session that the user's own arguments choose: %s", (own) => {
    assert.isUndefined(claude.first(["claude", "-p", "do it", ...stream, ...own], id))
  })

  it.each<readonly [CommandLine, CommandLine]>([
    [
      ["claude", "-p", "do it", ...stream],
      ["claude", "--resume", id, "-p", "Go on.", ...stream]
    ],
    [
      ["claude", "-p", ...stream, "--resume", "x", "--fork-session", "do it"],
      ["claude", "--resume", id, "-p", ...stream, "Go on."]
    ],
    [
      ["claude", "--session-id=x", "-p", "--model", "opus", ...stream, "--", "-do it"],
      ["claude", "--resume", id, "-p", "--model", "opus", ...stream, "--", "Go on."]
    ],
    [
      ["claude", "-c", "-p", "do it", ...stream, "--allowedTools", "Bash", "Edit"],
      ["claude", "--resume", id, "-p", "Go on.", ...stream, "--allowedTools", "Bash", "Edit"]
    ]
  ])("continues its session with another prompt: %s", (argv, expected) => {
    assert.deepStrictEqual(claude.resume(argv, id, "Go on."), expected)
  })

  it.each([
    [["do it", "--no-session-persistence"]],
    [["do it", "and this"]],
    [[]],
    [["--allowedTools", "Bash", "do it"]],
    [["--no-such-option", "do it"]],
    [["--input-format", "stream-json"]],
    [["--worktree", "a", "do it"]]
  ])("is not continued when its prompt or session is uncertain: %s", (rest) => {
    assert.isUndefined(claude.resume(["claude", "-p", ...stream, ...rest], id, "Go on."))
  })

  it("is not continued with a prompt that would be taken for an option or a command", () => {
    for (const prompt of ["-v", "--bg", "mcp", "--"])
      assert.isUndefined(claude.resume(["claude", "-p", "do it", ...stream], id, prompt))
  })

  it("loses no other argument and changes none", () => {
    const word = FastCheck.string().filter((text) => !text.startsWith("-") && text !== "")
    const option = FastCheck.oneof(
      FastCheck.constantFrom("--verbose", "--dangerously-skip-permissions", "--bare").map((name) => [name]),
      FastCheck.tuple(
        FastCheck.constantFrom("--model", "--max-turns", "--system-prompt"),
        FastCheck.string()
      ),
      FastCheck.tuple(FastCheck.constantFrom("--model=", "--settings="), FastCheck.string()).map((both) => [
        both.join("")
      ])
    )
    const options = FastCheck.array(option, { maxLength: 4 }).map((some) => some.flat())
    const lists = FastCheck.array(word, { maxLength: 3 }).map((tools) => ["--allowedTools", ...tools])
    const commandLine = FastCheck.record({ before: options, prompt: word, after: options, end: lists })
    FastCheck.assert(
      FastCheck.property(commandLine, ({ after, before, end, prompt }) => {
        const around = (said: string): CommandLine => [
          "claude",
          ...before,
          "--print",
          said,
          ...after,
          "--output-format=stream-json",
          ...end
        ]
        const argv = around(prompt)
        FastCheck.pre(claude.runs(argv))
        assert.deepStrictEqual(claude.first(argv, id), ["claude", "--session-id", id, ...argv.slice(1)])
        assert.deepStrictEqual(claude.resume(argv, id, "Go on."), [
          "claude",
          "--resume",
          id,
          ...around("Go on.").slice(1)
        ])
      })
    )
  })

  it("has a session that is refused when it is unknown, or is in use", () => {
    const end = { exit: { code: 1, signal: null }, seen: noAgent }
    const refusal = (line: string) => claude.refusal({ ...end, lastLines: [line] })
    assert.strictEqual(refusal(`No conversation found with session ID: ${id}`), "unknown")
    assert.strictEqual(refusal(`Error: Session ID ${id} is already in use.`), "in-use")
    assert.isUndefined(refusal("Not logged in"))
  })
})
