import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { aliases, verbs } from "../../../src/Domain/cli/CommandTable.ts"
import { completionScript } from "../../../src/Programs/cli/CompletionScript.ts"

const home = fs.mkdtempSync(join(tmpdir(), "autopilotd-completion-"))
fs.mkdirSync(join(home, "state"))
for (const name of ["shop", "shed", "blog"]) fs.writeFileSync(join(home, "state", `${name}.json`), "{}")
fs.writeFileSync(join(home, "state/shop.leader"), "")
fs.writeFileSync(
  join(home, "hosts.toml"),
  '[hosts.box]\nurl = "ssh://me@box"\n  [ hosts."lab.example" ]\n# [hosts.gone]\n[hosts.west] # far\n'
)
for (const shell of ["bash", "zsh", "fish"] as const)
  fs.writeFileSync(join(home, `script.${shell}`), completionScript(shell))

afterAll(() => fs.rmSync(home, { recursive: true, force: true }))

const run = (command: string, args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const { error, stderr, stdout } = spawnSync(command, args, {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], HOME: home, AUTOPILOT_HOME: home }
  })
  assert.deepStrictEqual([error, stderr], [undefined, ""])
  return stdout.split("\n").filter((line) => line !== "")
}

/** What bash offers at the end of a line that begins with `autopilotd`. */
const inBash = (words: ReadonlyArray<string>) =>
  run("bash", [
    "--norc",
    "-c",
    '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _autopilotd; printf "%s\\n" "${COMPREPLY[@]}"',
    "bash",
    join(home, "script.bash"),
    "autopilotd",
    ...words
  ])

const beginning = (words: ReadonlyArray<string>) => (offer: string) =>
  offer === "files" || offer.startsWith(words.at(-1) ?? "")

/** What fish offers, without the meanings, and without what only contains the word. */
const inFish = (words: ReadonlyArray<string>) =>
  run("fish", [
    "--no-config",
    "-c",
    'source $argv[1]; complete -C "$argv[2]"',
    join(home, "script.fish"),
    ["autopilotd", ...words].join(" ")
  ])
    .map((line) => line.split("\t")[0] ?? "")
    .filter(beginning(words))

/** What zsh's function hands to _describe: zsh itself leaves out what does not begin with the word. */
const inZsh = (words: ReadonlyArray<string>) =>
  run("zsh", [
    "-f",
    "-c",
    'compdef() {}; _describe() { print -rl -- ${offers%%:*}; }; _files() { print files; }; . $1; shift; words=("$@"); CURRENT=$#; _autopilotd',
    "zsh",
    join(home, "script.zsh"),
    "autopilotd",
    ...words
  ]).filter(beginning(words))

const isInstalled = (shell: string): boolean => spawnSync(shell, ["-c", "true"]).status === 0

const shells = [
  ["bash", inBash],
  ["zsh", inZsh],
  ["fish", inFish]
] as const

describe("the completion scripts", () => {
  it("name every command, and nothing that would be refused", () => {
    for (const [shell] of shells) {
      const text = completionScript(shell)
      for (const verb of [...verbs, ...aliases])
        for (const word of verb.split(" ")) assert.include(text, word)
      assert.match(text, /\n$/)
      assert.notMatch(text, /[^\n\P{Cc}]/u)
    }
    assert.strictEqual(completionScript("sh"), completionScript("bash"))
  })

  it("start no program when a shell loads them: they only define functions", () => {
    for (const [shell] of shells) {
      const outside = completionScript(shell)
        .replace(/^(\w+\(\) \{\n[^]*?\n\}|function \w+\n[^]*?\nend)$/gm, "")
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("#"))
      assert.deepStrictEqual(
        outside,
        {
          bash: ["complete -F _autopilotd autopilotd"],
          zsh: [
            "if [[ $funcstack[1] == _autopilotd ]]; then",
            '  _autopilotd "$@"',
            "else",
            "  compdef _autopilotd autopilotd",
            "fi"
          ],
          fish: ["complete -f -a '(__autopilotd_offers)' -c autopilotd"]
        }[shell]
      )
    }
  })

  for (const [shell, offered] of shells) {
    const isMissing = !isInstalled(shell)
    const reason = isMissing ? ` (skipped: ${shell} is not installed)` : ""
    it.skipIf(isMissing)(`complete commands, options, projects and settings in ${shell}${reason}`, () => {
      const cases: ReadonlyArray<readonly [line: string, offers: ReadonlyArray<string>]> = [
        ["sta", ["start", "start-worker", "status"]],
        ["res", ["restart", "restart-worker"]],
        ["config un", ["unset"]],
        ["help config ed", []],
        ["status s", ["shed", "shop"]],
        ["restart shop b", ["blog"]],
        ["why shop ", []],
        ["use b", ["blog"]],
        ["-p shop status --project s", ["shed", "shop"]],
        ["budget reset sho", ["shop"]],
        ["config set restart.ji", ["restart.jitter"]],
        ["config unset --dry-run restart.ji", ["restart.jitter"]],
        ["config set watch_config ", ["false", "true"]],
        ["config set restart.jitter ", []],
        ["config check --max-t", ["--max-turns"]],
        ["start-worker --no", ["--no-wait"]],
        ["status --det", []],
        ["logs -n ", []],
        ["completions f", ["fish"]],
        ["--completions z", ["zsh"]],
        ["status --hos", ["--host"]],
        ["status --host ", ["box", "lab.example", "west"]],
        ["--host w", ["west"]],
        ["--host box status s", ["shed", "shop"]]
      ]
      for (const [line, offers] of cases)
        assert.sameMembers([...offered(line.split(" "))], [...offers], `${shell}: ${line}`)
    })
  }

  it("complete folders, and what follows an equals sign, in bash", () => {
    assert.deepStrictEqual(inBash(["start", "--workdir", "/us"]), ["/usr"])
    assert.deepStrictEqual(inBash(["start", "-w", "/us"]), ["/usr"])
    assert.sameMembers([...inBash(["status", "--project", "=", "s"])], ["shop", "shed"])
    assert.sameMembers([...inBash(["status", "--project", "="])], ["shop", "shed", "blog"])
    assert.deepStrictEqual(inBash(["start", "--", "/us"]), ["/usr"])
  })
})
