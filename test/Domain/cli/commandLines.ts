import * as FastCheck from "effect/FastCheck"
import type { ArgumentKey } from "../../../src/Domain/cli/ArgumentTable.ts"
import { givenArguments, type Invocation } from "../../../src/Domain/cli/CommandLine.ts"
import {
  argumentsOf,
  commandRow,
  optionsUnderstood,
  type Verb,
  verbs
} from "../../../src/Domain/cli/CommandTable.ts"
import { type OptionKey, optionTable } from "../../../src/Domain/cli/OptionTable.ts"
import { searchPattern } from "../../../src/Domain/text/SearchPattern.ts"

/** Words that a sloppy reader of command lines would take for something else. */
const treacherous = [
  "--",
  "-",
  "--help",
  "--version",
  "--wizard",
  "--log-level",
  "-h",
  "-w",
  "-abc",
  "--model=x",
  "start",
  "status",
  "config",
  "check",
  "true",
  "n",
  " ",
  " -x ",
  "-a\nb",
  "a=b",
  "__proto__",
  "\u001b[31m"
]

const anyText = FastCheck.oneof(
  FastCheck.constantFrom(...treacherous),
  FastCheck.string(),
  FastCheck.string({ unit: "binary" })
)

/** Any word of a command line: also the empty one. */
export const anyWord = anyText

const someText = anyText.filter((text) => text !== "")

const anyProject = FastCheck.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/).filter(
  (name) => !name.startsWith("autopilotd.log")
)

/** Words in the place of a setting's value: a dash begins only what may be a number. */
const anySettingValue = FastCheck.oneof(
  anyText.filter((text) => text === "-" || !text.startsWith("-")),
  FastCheck.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  FastCheck.constantFrom("-1", "-.5", "-0", "-1 --json", '["claude", "--help"]', "", "config", "help")
)

/** Words in the place of a project's name: also those of commands. */
const anyName = FastCheck.oneof(anyProject, FastCheck.constantFrom("switch", "start", "help", "config"))

/** `name` is always the option `project` of an invocation, and so are `names`, if there is one. */
const anyArgument: Record<Exclude<ArgumentKey, "name">, FastCheck.Arbitrary<unknown>> = {
  target: anyName,
  channel: anyProject,
  names: FastCheck.option(FastCheck.uniqueArray(anyName, { minLength: 2, maxLength: 4 }), { nil: undefined }),
  key: FastCheck.constantFrom("restart.jitter", "model", 'projects."a b".model', "env. HOME", "set", "help"),
  value: anySettingValue
}

const valueOf: Record<OptionKey, FastCheck.Arbitrary<unknown>> = {
  workdir: someText,
  model: someText,
  config: someText,
  maxBudget: FastCheck.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  maxTurns: FastCheck.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  project: anyProject,
  detach: FastCheck.constant(true),
  keepState: FastCheck.constant(true),
  exitWhenFinished: FastCheck.constant(true),
  terminationLog: someText,
  save: FastCheck.constant(true),
  yes: FastCheck.constant(true),
  keep: FastCheck.constant(true),
  restart: FastCheck.constant(true),
  dryRun: FastCheck.constant(true),
  gui: FastCheck.constant(true),
  print: FastCheck.constant(true),
  noWait: FastCheck.constant(true),
  follow: FastCheck.constant(true),
  lines: FastCheck.nat({ max: Number.MAX_SAFE_INTEGER }),
  openMetrics: FastCheck.constant(true),
  output: someText,
  until: FastCheck.constantFrom("2h", "today", "10 min ago"),
  since: FastCheck.constantFrom("2h", "1h30m", "14:30", "yesterday 9:05", "2026-11-20 14:30", "2026-11-20"),
  long: FastCheck.constant(true),
  timeout: FastCheck.constantFrom("90s", "30m", "1h30m"),
  port: FastCheck.nat({ max: 65_535 }),
  open: FastCheck.constant(true),
  startDaemon: FastCheck.constant(true),
  grep: someText.filter((text) => searchPattern(text) !== undefined),
  stderr: FastCheck.constant(true),
  daemon: FastCheck.constant(true),
  hosts: someText,
  metricsPort: FastCheck.nat({ max: 65_535 }),
  readOnly: FastCheck.constant(true),
  text: FastCheck.constant(true),
  raw: FastCheck.constant(true),
  host: FastCheck.oneof(someText, FastCheck.constantFrom("", "local", "box", "ssh://me@box:22/srv")),
  all: FastCheck.constant(true),
  json: FastCheck.constant(true)
}

const ofVerb = (verb: Verb): FastCheck.Arbitrary<Invocation> => {
  const row = commandRow(verb)
  const { excludes, needs } = row
  const options = FastCheck.record(
    Object.fromEntries(optionsUnderstood(verb).map((key) => [key, valueOf[key]])),
    {
      requiredKeys: [],
      noNullPrototype: true
    }
  )
    .map((given) =>
      needs !== undefined && needs.option in given ? { ...given, [needs.other]: true } : given
    )
    .map((given) => {
      const excluded: ReadonlyArray<string> =
        excludes !== undefined && excludes.other in given ? excludes.options : []
      return Object.fromEntries(Object.entries(given).filter(([key]) => !excluded.includes(key)))
    })
  const workerArgv = row.takesWorker
    ? FastCheck.option(FastCheck.array(anyText, { minLength: 1, maxLength: 6 }), {
        nil: undefined,
        // One in five is without a command where it may be.
        freq: row.needsWorker === true ? Number.MAX_SAFE_INTEGER : 5
      }).filter((argv) => argv !== undefined || row.needsWorker !== true)
    : FastCheck.constant(undefined)
  const args = FastCheck.record(
    Object.fromEntries(argumentsOf(verb).flatMap((key) => (key === "name" ? [] : [[key, anyArgument[key]]]))),
    { noNullPrototype: true }
    // The values are those that the decoders of the rows give.
  ) as FastCheck.Arbitrary<Invocation["args"]>
  return FastCheck.record({ verb: FastCheck.constant(verb), args, options, workerArgv }).map((invocation) => {
    const { names, ...others } = invocation.args
    if (names === undefined) return { ...invocation, args: others }
    const options = Object.entries(invocation.options).filter(([key]) => key !== "project")
    return { ...invocation, options: Object.fromEntries(options) }
  })
}

/** Every command with any arguments, any of its options, any values and, where it takes one, any worker's command line. */
export const anyInvocation: FastCheck.Arbitrary<Invocation> = FastCheck.oneof(...verbs.map(ofVerb))

/** The ways to write one option of an invocation. */
const writings = (key: OptionKey, value: unknown): ReadonlyArray<ReadonlyArray<string>> => {
  const row = optionTable[key]
  if (row._tag === "Flag") return [[`--${row.long}`]]
  const text = String(value)
  const joined = [`--${row.long}=${text}`]
  if (text.startsWith("-") && text !== "-") return [joined]
  const apart = [`--${row.long}`, text]
  if (!("short" in row)) return [joined, apart]
  const together = text.startsWith("=") || text === "" ? [] : [[`-${row.short}${text}`]]
  return [joined, apart, [`-${row.short}`, text], ...together]
}

/** An invocation and one of the many ways to write it: any order, options before and after the command. */
export const anyWriting: FastCheck.Arbitrary<readonly [Invocation, ReadonlyArray<string>]> = FastCheck.tuple(
  anyInvocation,
  FastCheck.boolean()
).chain(([invocation, asWord]) => {
  const { project, ...others } = invocation.options
  const takesName = argumentsOf(invocation.verb).some((key) => key === "name" || key === "names")
  const isWord = asWord && takesName && project !== undefined
  const options = Object.entries(isWord ? others : invocation.options).map(([key, value]) =>
    // The keys of an invocation's options are those of the table.
    FastCheck.constantFrom(...writings(key as OptionKey, value))
  )
  const words = [...invocation.verb.split(" "), ...givenArguments(invocation), ...(isWord ? [project] : [])]
  const slots = FastCheck.array(FastCheck.nat({ max: options.length }), {
    minLength: words.length,
    maxLength: words.length
  })
  return FastCheck.tuple(FastCheck.tuple(...options), slots, FastCheck.nat(), FastCheck.boolean()).map(
    ([written, at, turn, implicit]) => {
      const cut = written.length === 0 ? 0 : turn % written.length
      const units = [...written.slice(cut), ...written.slice(0, cut)]
      const order = at.toSorted((left, right) => left - right)
      const spoken = invocation.verb === "start" && implicit ? [] : words
      const line = [...units, []].flatMap((unit, position) => [
        ...spoken.filter((_, word) => order[word] === position),
        ...unit
      ])
      const tail = invocation.workerArgv === undefined ? [] : ["--", ...invocation.workerArgv]
      return [invocation, [...line, ...tail]] as const
    }
  )
})
