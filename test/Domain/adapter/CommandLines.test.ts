import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import type { CommandLine } from "../../../src/Domain/adapter/AgentAdapter.ts"
import { adapterOf, adapters } from "../../../src/Domain/adapter/AgentAdapters.ts"
import type { AgentName } from "../../../src/Domain/agent/AgentName.ts"

const id = "a31e5a58-f990-41a1-8586-0f99850fd417"
const goOn = "Go on."

/** Splits at spaces; `_` stands for one inside an argument. */
const argvOf = (words: string): CommandLine => {
  const [program = "", ...rest] = words.split(" ").map((word) => word.replaceAll("_", " "))
  return [program, ...rest]
}

describe("a command line", () => {
  it.each([
    ["codex", "codex exec --json do_it"],
    ["codex", "/opt/bin/codex -m gpt-x e --json --skip-git-repo-check do_it"],
    ["codex", "codex exec resume --last --json do_it"],
    ["gemini", "gemini -p do_it -o stream-json -y"],
    ["gemini", "gemini --output-format=stream-json do it"],
    ["qwen", "qwen -o stream-json -y do_it"],
    ["qwen", "qwen --prompt=do_it --output-format stream-json"],
    ["opencode", "opencode run --format json --auto do_it"],
    ["opencode", "opencode run do it --format=json"]
  ])("of %s is recognised: %s", (name, words) => {
    assert.strictEqual(adapterOf(argvOf(words))?.name, name)
  })

  it.each([
    "codex do_it",
    "codex exec do_it",
    "codex exec --json --help",
    "codex review --json",
    "codex --json",
    "gemini do_it",
    "gemini -p do_it",
    "gemini -p do_it -o json",
    "gemini -i do_it -o stream-json",
    "gemini mcp list -o stream-json",
    "gemini -o stream-json",
    "qwen -o stream-json",
    "qwen -o stream-json --acp do_it",
    "qwen do_it",
    "opencode --format json do_it",
    "opencode run do_it",
    "opencode run --format default do_it",
    "opencode serve --format json",
    "bash -c codex_exec_--json_x",
    "codex-wrapper exec --json do_it"
  ])("of any other program, or for a person, is none: %s", (words) => {
    assert.isUndefined(adapterOf(argvOf(words)))
  })

  it.each<readonly [AgentName, string, string]>([
    ["codex", "codex exec --json do_it", `codex exec --json resume ${id} ${goOn}`],
    [
      "codex",
      "codex -m x exec do_it --json -s danger-full-access -C /src -c a=b",
      `codex -m x exec --json -s danger-full-access -C /src -c a=b resume ${id} ${goOn}`
    ],
    ["codex", "codex exec --json resume old do_it", `codex exec --json resume ${id} ${goOn}`],
    ["codex", "codex exec resume --last --json do_it", `codex exec --json resume ${id} ${goOn}`],
    ["codex", "codex exec --json -", `codex exec --json resume ${id} ${goOn}`],
    ["gemini", "gemini -p do_it -o stream-json -y", `gemini -r ${id} -p ${goOn} -o stream-json -y`],
    [
      "gemini",
      "gemini --prompt=do_it -o stream-json -r latest -y",
      `gemini -r ${id} --prompt=${goOn} -o stream-json -y`
    ],
    ["gemini", "gemini -o stream-json do it now", `gemini -r ${id} -o stream-json ${goOn}`],
    ["qwen", "qwen -p do_it -o stream-json -y", `qwen --resume ${id} -p ${goOn} -o stream-json -y`],
    ["qwen", "qwen -c -o stream-json do_it", `qwen --resume ${id} -o stream-json ${goOn}`],
    [
      "qwen",
      "qwen --session-id old do_it -o stream-json --add-dir /a /b",
      `qwen --resume ${id} ${goOn} -o stream-json --add-dir /a /b`
    ],
    [
      "opencode",
      "opencode run --format json -m a/b --auto do_it",
      `opencode run -s ${id} --format json -m a/b --auto ${goOn}`
    ],
    [
      "opencode",
      "opencode --print-logs run -c --fork do it --format=json",
      `opencode --print-logs run -s ${id} ${goOn} --format=json`
    ],
    ["opencode", "opencode run --format json -- -do_it", `opencode run -s ${id} --format json -- ${goOn}`]
  ])("of %s continues a session with another prompt: %s", (name, words, expected) => {
    const [program = "", ...rest] = expected.replaceAll(goOn, "@").split(" ")
    const argv: CommandLine = [
      program,
      ...rest.map((word) => word.replaceAll("_", " ").replaceAll("@", goOn))
    ]
    assert.deepStrictEqual(adapters[name].resume(argvOf(words), id, goOn), argv)
  })

  it.each<readonly [AgentName, string]>([
    ["codex", "codex exec --json"],
    ["codex", "codex exec --json do_it twice"],
    ["codex", "codex exec --json --ephemeral do_it"],
    ["codex", "codex exec --json --worktree do_it"],
    ["codex", "codex exec --json review"],
    ["codex", "codex exec --json --no-such-option do_it"],
    ["codex", "codex exec --json do_it -i a.png"],
    ["gemini", "gemini -o stream-json -p do_it and_more"],
    ["gemini", "gemini -o stream-json --worktree a -p do_it"],
    ["gemini", "gemini -o stream-json --no-such-option do_it"],
    ["gemini", "gemini -p a -p b -o stream-json"],
    ["gemini", "gemini -o stream-json -y true"],
    ["qwen", "qwen -o stream-json --no-chat-recording do_it"],
    ["qwen", "qwen -o stream-json --input-format stream-json -p do_it"],
    ["opencode", "opencode run --format json"],
    ["opencode", "opencode run --format json --command review do_it"],
    ["opencode", "opencode run --format json -f a.txt do_it"]
  ])("of %s is not continued when its prompt or session is uncertain: %s", (name, words) => {
    assert.isUndefined(adapters[name].resume(argvOf(words), id, goOn))
  })

  it("is not continued with a prompt that would be taken for an option", () => {
    for (const words of [
      "codex exec --json x",
      "gemini -o stream-json x",
      "qwen -o stream-json x",
      "opencode run --format json x"
    ]) {
      const argv = argvOf(words)
      for (const prompt of ["-h", "--yolo", undefined])
        assert.isUndefined(adapterOf(argv)?.resume(argv, id, prompt))
    }
  })

  it("begins under the id that the agent chooses, and learns it from its first line", () => {
    for (const name of ["codex", "gemini", "qwen", "opencode"] as const)
      assert.isUndefined(adapters[name].first(argvOf("codex exec --json x"), id))
  })

  const word = FastCheck.string({ minLength: 1 }).filter(
    (text) => !text.startsWith("-") && text !== "true" && text !== "false"
  )
  const forms: ReadonlyArray<{
    readonly program: ReadonlyArray<string>
    readonly flags: ReadonlyArray<string>
    readonly values: ReadonlyArray<string>
    readonly must: ReadonlyArray<string>
    readonly resumed: (others: ReadonlyArray<string>) => ReadonlyArray<string>
  }> = [
    {
      program: ["codex", "exec"],
      flags: ["--skip-git-repo-check", "--oss"],
      values: ["-m", "-c", "--sandbox"],
      must: ["--json"],
      resumed: (others) => ["codex", "exec", ...others.filter((one) => one !== goOn), "resume", id, goOn]
    },
    {
      program: ["gemini"],
      flags: ["-y", "--debug"],
      values: ["-m", "--approval-mode"],
      must: ["-o", "stream-json"],
      resumed: (others) => ["gemini", "-r", id, ...others]
    },
    {
      program: ["qwen"],
      flags: ["-y", "--bare"],
      values: ["-m", "--system-prompt"],
      must: ["-o", "stream-json"],
      resumed: (others) => ["qwen", "--resume", id, ...others]
    },
    {
      program: ["opencode", "run"],
      flags: ["--auto", "--share"],
      values: ["-m", "--title"],
      must: ["--format", "json"],
      resumed: (others) => ["opencode", "run", "-s", id, ...others]
    }
  ]

  it.each(forms)("of $program loses no other argument and changes none", (form) => {
    const option = FastCheck.oneof(
      FastCheck.constantFrom(...form.flags).map((name) => [name]),
      FastCheck.tuple(FastCheck.constantFrom(...form.values), word)
    )
    const some = FastCheck.array(option, { maxLength: 4 }).map((all) => all.flat())
    FastCheck.assert(
      FastCheck.property(some, word, some, (before, prompt, after) => {
        const around = (said: string) => [...before, said, ...form.must, ...after]
        const [program = "", ...rest] = [...form.program, ...around(prompt)]
        const argv: CommandLine = [program, ...rest]
        const adapter = adapterOf(argv)
        FastCheck.pre(adapter !== undefined && !around(prompt).includes(goOn))
        const resumed = adapter?.resume(argv, id, goOn)
        // A word may be a command of the program.
        FastCheck.pre(resumed !== undefined)
        assert.deepStrictEqual(resumed, form.resumed(around(goOn)))
      })
    )
  })
})
