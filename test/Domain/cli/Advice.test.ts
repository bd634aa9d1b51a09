import * as fs from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { parse } from "../../../src/Domain/cli/CommandLine.ts"
import { commandRow, groups, type Verb, verbNamed } from "../../../src/Domain/cli/CommandTable.ts"
import { optionTable } from "../../../src/Domain/cli/OptionTable.ts"
import { ProjectName, unnamed } from "../../../src/Domain/Project.ts"
import { newlyRefused, whyRefused } from "../../../src/Domain/settings/RefusedProjects.ts"
import { unitCommandLine } from "../../../src/Domain/settings/SettingsMerge.ts"
import { withProject } from "../../../src/Domain/status/ProjectOption.ts"
import { troubleAdvice } from "../../../src/Domain/systemd/UnitTrouble.ts"
import { adviceFor, type Verdict } from "../../../src/Domain/verdict/ExitVerdict.ts"
import { inForce } from "../../fixtures/SettingsInForce.ts"

const sources = resolve(import.meta.dirname, "../../../src")

const texts = fs
  .readdirSync(sources, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.startsWith("Browser"))
  .map((name) => ({ name, text: fs.readFileSync(join(sources, name), "utf8") }))

/** The words after the program's name that begin a sentence about it, not a command. */
const prose = new Set(
  (
    "is runs started never needs has permanently did of without and as to in with reads writes itself " +
    "keeps shows safe that answers exists this cannot again daemon process settings program knows does version was were are can stops works there on opens begins whose should"
  ).split(" ")
)

const longOf = new Map(Object.values(optionTable).map((row) => [`--${row.long}`, row]))

/** What is wrong with the command that begins a text, which goes on after it; undefined where nothing is. */
const wrongIn = (text: string): string | undefined => {
  const [first = "", second = "", ...rest] = text.replace(/[;)][^]*/, "").split(/\s+/)
  const clean = (word: string) => word.replace(/[^\w-].*$/, "")
  if (/^[A-Z$<\d-]$|^[A-Z$<\d]/.test(first) || clean(first) === "" || prose.has(clean(first)))
    return undefined
  if (first.startsWith("--"))
    return longOf.has(clean(first)) || ["--help", "--version", "--completions"].includes(clean(first))
      ? undefined
      : first
  const isGroup = groups.some((name) => name === clean(first))
  const verb = isGroup ? `${clean(first)} ${clean(second)}` : clean(first)
  // The words that stand for --help, --version and --completions.
  if (["help", "version", "completions"].includes(verb)) return undefined
  const known = verbNamed(verb)
  if (known === undefined) return verb
  // The sentence goes on with something else.
  if (/[;:,.)]$/.test(isGroup ? second : first)) return undefined
  const { options }: { readonly options: ReadonlyArray<string> } = commandRow(known)
  for (const word of isGroup ? rest : [second, ...rest]) {
    if (/^--[a-z]/.test(word)) {
      const name = clean(word)
      const key = Object.entries(optionTable).find(([, row]) => row === longOf.get(name))?.[0]
      if (name !== "--help" && name !== "--host" && (key === undefined || !options.includes(key)))
        return `${verb} ${name}`
    } else if (!/^([A-Z]+|\d+|\$\{.*|-[a-z])$/.test(word)) return undefined
  }
  return undefined
}

describe("a command that a text names", () => {
  it("exists, and takes the options that stand with it", () => {
    const wrong = texts.flatMap(({ name, text }) =>
      [...text.matchAll(/(?<![/\w.-])autopilotd ([^\n"`'|]+)/g)].flatMap(([, rest = ""]) => {
        const found = wrongIn(rest)
        return found === undefined ? [] : [`${name}: autopilotd ${found}`]
      })
    )
    assert.deepStrictEqual(wrong, [])
  })
})

const shop = ProjectName.make("shop")

/** The command lines in a text that stand where a person would copy them, with values for their placeholders. */
const commandsIn = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  [
    ...text.matchAll(
      /autopilotd ((?:[a-z][a-z-]*(?: (?:edit|set|show|reset|check))?)(?: (?:--[a-z-]+|--|-[a-z]|'[^']*'|[A-Z]+|\d+|shop|[a-z]+[._][a-z._]*[a-z]))*)/g
    )
  ].map(([, line = ""]) =>
    [...line.matchAll(/'([^']*)'|(\S+)/g)].map(
      ([, quoted, word = ""]) => quoted ?? { NUMBER: "5", CMD: "agent", ARGS: "x", DIR: "/tmp" }[word] ?? word
    )
  )

const follows = (text: string): ReadonlyArray<Verb> =>
  commandsIn(text).map((words) => {
    const line = parse(words)
    if (line._tag === "UsageError") return assert.fail(`${words.join(" ")}: ${line.message}`)
    if (line._tag !== "Run") return assert.fail(`${words.join(" ")} runs nothing`)
    const { options, verb } = line.invocation
    const isOfProject = ["start-worker", "restart-worker", "stop-worker", "logs", "budget reset"].includes(
      verb
    )
    if (isOfProject) assert.strictEqual(options.project, shop, words.join(" "))
    return verb
  })

const verdicts: ReadonlyArray<Verdict> = [
  { kind: "bad-arguments", says: "unknown option" },
  { kind: "not-started", reason: "no such file" },
  { kind: "max-turns" },
  { kind: "budget", usage: { setting: "max_budget", usedUsd: 5, limitUsd: 5 } },
  { kind: "budget", usage: { setting: "budget.per_day", usedUsd: 5, limitUsd: 5 } },
  { kind: "auth", says: "log in" },
  { kind: "usage-limit", says: "limit" },
  { kind: "overloaded", says: "busy" },
  { kind: "context-full", says: "too long" },
  { kind: "crash", exit: { code: 1, signal: null }, tail: [] },
  { kind: "stalled", quietMs: 1, limitMs: 1 }
]

describe("advice", () => {
  it("names the place that counts, and ends with a start of what it is about", () => {
    const advice = (worker: string, project = shop) =>
      withProject(
        adviceFor({ kind: "bad-arguments", says: "x" }, { project, worker }) ?? "",
        " --project shop"
      )
    assert.strictEqual(
      advice("command line"),
      "Correct the daemon's command line after -- (autopilotd stop, then: autopilotd start --detach --project shop -- CMD ARGS)"
    )
    assert.notInclude(advice("command line", unnamed), "--project")
    assert.include(advice(unitCommandLine), "ExecStart= of the daemon's systemd unit")
    assert.include(
      advice("environment AUTOPILOT_WORKER_BINARY"),
      "AUTOPILOT_WORKER_BINARY in the environment of the daemon"
    )
    assert.strictEqual(
      advice("file [projects.shop]"),
      "Correct worker_command in [projects.shop] (autopilotd config edit, then: autopilotd reload), then run: autopilotd start-worker --project shop"
    )
    const limit = (source: string) =>
      adviceFor(
        { kind: "max-turns" },
        { project: shop, worker: "file", limits: { max_budget: source, max_turns: source } }
      )
    assert.include(limit("command line"), "Raise --max-turns of the daemon's command line")
    assert.include(limit("file"), "Raise max_turns (autopilotd config set max_turns NUMBER")
    assert.include(limit("file [projects.shop]"), "(autopilotd config set --project shop max_turns NUMBER")
    assert.match(
      adviceFor({ kind: "not-started", reason: "the working directory /x does not exist" }) ?? "",
      /^Check its program, its folder and its PATH \(autopilotd doctor\), or correct worker_command/
    )
    assert.include(
      adviceFor({ kind: "max-turns" }, { project: shop, worker: "command line" }),
      "Raise it in the daemon's command line after --"
    )
  })

  it("can be typed as it stands, with the project where there are several", () => {
    for (const worker of ["command line", unitCommandLine, "environment A", "file", "file [projects.shop]"])
      for (const limits of [undefined, { max_budget: worker, max_turns: worker }])
        for (const verdict of verdicts)
          follows(withProject(adviceFor(verdict, { project: shop, worker, limits }) ?? "", " --project shop"))
    const trouble = {
      unit: "autopilotd",
      state: "failed",
      isRetried: false,
      result: "exit-code",
      exit: undefined,
      restarts: 0
    }
    assert.deepStrictEqual(troubleAdvice({ trouble, lastLines: [] }).flatMap(follows), [
      "start",
      "config check"
    ])
    const lacking = inForce({ projects: { shop: {} } }).projects[0]
    if (Either.isRight(lacking.worker)) return assert.fail("it has a worker")
    assert.deepStrictEqual(follows(whyRefused({ ...lacking, reason: lacking.worker.left })), [
      "config set",
      "reload"
    ])
    const [problem] = newlyRefused({ projects: [{ ...lacking, project: unnamed }] }, { projects: [lacking] })
    assert.deepStrictEqual(follows(problem?.reason ?? ""), ["config set", "config set"])
  })
})
