import * as Either from "effect/Either"
import { humanBytes } from "../text/Amounts.ts"
import { nearestName } from "../text/NearestName.ts"
import { printable } from "../text/Printable.ts"
import { type Issue, read } from "../toml/Form.ts"
import { isTable, type RawSettings, tomlText, valueAt } from "../toml/RawSettings.ts"
import { channelProblems } from "./ChannelProblems.ts"
import { defaultOf, formOfFile, settingNotes, tables, topLevelOnly } from "./SettingKeys.ts"
import type { Settings } from "./Settings.ts"
import { hoistable } from "./SettingsHoist.ts"
import type { KeyProblem } from "./SettingsProblem.ts"

type Path = ReadonlyArray<string | number>

const longestShown = 60

/** Names a wrong value in a message, without its content if it may be a secret. */
export const found = (value: unknown, secret: boolean): string => {
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : "an array"
  if (value instanceof Date) return "a date"
  if (isTable(value)) return "a table"
  if (secret) return typeof value === "string" ? "this text" : `a ${typeof value}`
  if (typeof value === "bigint") return `${value}, which is beyond 2^53 - 1`
  return printable(tomlText(value), longestShown)
}

/** The longest prefix of a path that is a setting. The rest of the path lies inside its value. */
const settingAt = (path: Path): Path => {
  for (let length = path.length; length > 0; length--) {
    if (settingNotes.has(path.slice(0, length).join("."))) return path.slice(0, length)
  }
  return path
}

const wrongTable = (path: Path, value: unknown): KeyProblem => {
  const example = path[0] === "worker_command" ? ' such as { type = "Command", argv = ["my-agent"] }' : ""
  return { path, reason: `must be a table${example}, not ${found(value, path[0] === "env")}` }
}

const wrongValue = (raw: RawSettings, path: Path): KeyProblem => {
  const setting = settingAt(path)
  const note = settingNotes.get(setting.join("."))
  const value = valueAt(raw, setting)
  // A URL that is refused may be so for the password in it.
  const secret = setting[0] === "env" || setting.join(".") === "metrics.otlp"
  if (note === undefined || (secret && path.length === 1)) return wrongTable(path, value)
  const element = path[setting.length]
  if (secret) return { path, reason: `must be ${note.expects}, not ${found(valueAt(raw, path), true)}` }
  if (element !== undefined) {
    const which = `the one at position ${Number(element) + 1} is ${found(valueAt(raw, path), false)}`
    return { path: setting, reason: `must be ${note.expects}, but ${which}` }
  }
  // `[project.shop]` for `[projects.shop]`.
  const nearest = setting[0] === "project" && isTable(value) ? { nearest: "projects" } : {}
  return { path, reason: `must be ${note.expects}, not ${found(value, false)}`, ...nearest }
}

/** The keys that are valid in one place of the file. */
interface ValidKeys {
  readonly keys: ReadonlyArray<string>
  readonly tables: ReadonlyArray<string>
}

const topLevelKeys: ValidKeys = { keys: [...settingNotes.keys()], tables }

const projectKeys: ValidKeys = {
  keys: [...settingNotes.keys()].filter((key) => !topLevelOnly.has(key)),
  tables: tables.filter((name) => !topLevelOnly.has(name))
}

/** The keys that each kind of worker command takes beside `type`. */
const keysOfType: ReadonlyMap<unknown, ReadonlyArray<string>> = new Map([
  ["Cargo", ["manifest_path", "args"]],
  ["Binary", ["path", "args"]],
  ["Command", ["argv"]],
  ["Claude", ["prompt", "prompt_file", "args", "binary"]]
])

const leafOf = (key: string): string => key.split(".").at(-1) ?? key

const nearestLeaf = (leaf: string, keys: ReadonlyArray<string>): string | undefined => {
  const last = nearestName(leaf, keys.map(leafOf))
  return keys.find((key) => leafOf(key) === last)
}

/** The keys that are understood beside the last one of a path: in the table of a worker, those of its kind. */
const keysBeside = (raw: RawSettings, path: Path, valid: ValidKeys): ReadonlyArray<string> => {
  const table = path.slice(0, -1).join(".")
  const inTable = valid.keys.filter(
    (known) => known.slice(0, -leafOf(known).length) === (table === "" ? "" : `${table}.`)
  )
  if (table !== "worker_command") return inTable
  const takes = keysOfType.get(valueAt(raw, ["worker_command", "type"]))
  return [
    ...inTable.filter(
      (known) => takes === undefined || leafOf(known) === "type" || takes.includes(leafOf(known))
    ),
    ...hoistable.map((name) => `${table}.${name}`)
  ]
}

/** The valid key that the user most likely meant. */
const nearestKey = (raw: RawSettings, path: Path, valid: ValidKeys): string | undefined => {
  const key = path.join(".")
  // The command line calls it so, and nearestName finds the two names too different.
  if (key === "workdir") return "working_dir"
  const leaf = leafOf(key)
  // A right name in the wrong table is more likely than a typing error that resembles another name.
  const elsewhere = valid.keys.find((known) => leafOf(known) === leaf)
  if (elsewhere !== undefined) return elsewhere
  const beside = keysBeside(raw, path, valid)
  // At the top level a key may be the name of a table.
  const near = path.length === 1 ? nearestName(key, [...beside, ...valid.tables]) : nearestLeaf(leaf, beside)
  return near ?? nearestLeaf(leaf, valid.keys)
}

const unknownKey = (raw: RawSettings, path: Path, valid: ValidKeys): KeyProblem => {
  const key = path.join(".")
  if (path[0] === "env") {
    const reason =
      "is not a name for an environment variable: letters, digits and _, no digit at the beginning"
    return { path, reason }
  }
  const type = valueAt(raw, ["worker_command", "type"])
  const takes = keysOfType.get(type)
  if (path[0] === "worker_command" && takes !== undefined && settingNotes.has(key)) {
    return { path, reason: `does not go with type = ${tomlText(type)}, which takes ${takes.join(" and ")}` }
  }
  const nearest = nearestKey(raw, path, valid)
  return { path, reason: "is not a setting", ...(nearest === undefined ? {} : { nearest }) }
}

const problemOf = (raw: RawSettings, { is, path }: Issue, valid: ValidKeys): KeyProblem => {
  if (is === "unexpected") return unknownKey(raw, path, valid)
  if (is === "wrong") return wrongValue(raw, path)
  const setting = settingAt(path)
  // A missing element is a problem of its array, which is present.
  if (setting.length < path.length) return wrongValue(raw, setting)
  const expects = settingNotes.get(path.join("."))?.expects
  return { path, reason: expects === undefined ? "is missing" : `is missing: it must be ${expects}` }
}

const initialPath = ["restart", "initial_backoff_ms"]
const maxPath = ["restart", "max_backoff_ms"]

const originOf = (raw: RawSettings, own: RawSettings, path: ReadonlyArray<string>) =>
  valueAt(own, path) !== undefined ? "own" : valueAt(raw, path) !== undefined ? "inherited" : "default"

/** The problem is reported at the key that `own` sets. */
const backoffProblems = (raw: RawSettings, own: RawSettings): ReadonlyArray<KeyProblem> => {
  const initialMs = valueAt(raw, initialPath) ?? defaultOf(initialPath.join("."))
  const maxMs = valueAt(raw, maxPath) ?? defaultOf(maxPath.join("."))
  if (typeof initialMs !== "number" || typeof maxMs !== "number" || !(initialMs > maxMs)) return []
  const initialFrom = originOf(raw, own, initialPath)
  const maxFrom = originOf(raw, own, maxPath)
  if (initialFrom === "own") {
    const from = { own: "", inherited: ", inherited from the top level", default: " by default" }[maxFrom]
    return [{ path: initialPath, reason: `(${initialMs}) is above restart.max_backoff_ms (${maxMs}${from})` }]
  }
  if (maxFrom !== "own") return []
  const from = initialFrom === "default" ? "by default" : "inherited from the top level"
  const reason = `(${maxMs}) is below restart.initial_backoff_ms, which is ${initialMs} ${from}`
  return [{ path: maxPath, reason }]
}

const thresholdProblems = (own: RawSettings): ReadonlyArray<KeyProblem> => {
  const critical = valueAt(own, ["memory", "critical_threshold_bytes"])
  const low = valueAt(own, ["memory", "min_available_bytes"])
  if (typeof critical !== "number" || typeof low !== "number" || !(critical >= low)) return []
  const figures = `${humanBytes(critical)}) must be below memory.min_available_bytes (${humanBytes(low)})`
  return [{ path: ["memory", "critical_threshold_bytes"], reason: `(${figures}` }]
}

/** A Claude worker has one prompt. */
const promptProblems = (own: RawSettings): ReadonlyArray<KeyProblem> => {
  if (valueAt(own, ["worker_command", "type"]) !== "Claude") return []
  const path = ["worker_command", "prompt"]
  const isSet = valueAt(own, path) !== undefined
  const hasFile = valueAt(own, ["worker_command", "prompt_file"]) !== undefined
  if (isSet !== hasFile) return []
  return [
    {
      path,
      reason: isSet
        ? "does not go with worker_command.prompt_file: keep one of the two"
        : "is missing: say what the agent is to do, here or in a file named by worker_command.prompt_file"
    }
  ]
}

/**
 * Contradictions between settings of which each is valid. They are compared as written, before defaults could hide one.
 * `own` are the settings of one place of the file, `raw` the same with those it inherits.
 */
const contradictions = (raw: RawSettings, own: RawSettings): ReadonlyArray<KeyProblem> => [
  ...backoffProblems(raw, own),
  ...thresholdProblems(own),
  ...promptProblems(own)
]

/** Contradictions within one place. A setting that it does not set may have any value elsewhere. */
const contradictionsWithin = (own: RawSettings): ReadonlyArray<KeyProblem> => [
  ...(valueAt(own, initialPath) === undefined || valueAt(own, maxPath) === undefined
    ? []
    : backoffProblems(own, own)),
  ...thresholdProblems(own),
  ...promptProblems(own)
]

const keyOf = (problem: KeyProblem) => problem.path.join("\u0000")

const oncePerKey = (problems: ReadonlyArray<KeyProblem>): ReadonlyArray<KeyProblem> => [
  ...new Map(problems.map((problem) => [keyOf(problem), problem])).values()
]

/** The problems that one report describes. Each is compared with all settings, to name the nearest. */
const mostProblems = 50

/** Describes the first problems, and counts the rest. */
const described = (
  issues: ReadonlyArray<Issue>,
  describe: (issue: Issue) => KeyProblem
): ReadonlyArray<KeyProblem> => {
  const problems = issues.slice(0, mostProblems).map(describe)
  const [next] = issues.slice(mostProblems)
  if (next === undefined) return problems
  const reason = `and ${issues.length - mostProblems - 1} other keys have problems too: fix the ones above first`
  return [...problems, { path: next.path, reason }]
}

const isInChannel = ({ path: [table, key, ...rest] }: Issue): boolean =>
  table === "notify" && key === "to" && rest.length > 0

const decode = (raw: RawSettings, valid: ValidKeys, together: ReadonlyArray<KeyProblem>) => {
  const issues: Array<Issue> = []
  const decoded = read(formOfFile, raw, [], issues)
  const channels = channelProblems(raw)
  const others = channels.length === 0 ? issues : issues.filter((issue) => !isInChannel(issue))
  const problems = oncePerKey([
    ...described(others, (issue) => problemOf(raw, issue, valid)),
    ...channels,
    ...together
  ])
  // The form is that of the schema of Settings: a value without an issue is one.
  return problems.length === 0 ? Either.right(decoded as Settings) : Either.left(problems)
}

/**
 * Decodes the settings of one project and fills in the defaults, or returns every problem. No problem quotes a value of
 * `env`, because it may be a secret. `own` are the settings without the inherited ones: a contradiction is reported
 * there.
 */
export const decodeRaw = (
  raw: RawSettings,
  own: RawSettings = raw
): Either.Either<Settings, ReadonlyArray<KeyProblem>> => decode(raw, topLevelKeys, contradictions(raw, own))

/** The problems of a project's own settings, whatever it inherits. */
export const problemsOfOwn = (own: RawSettings): ReadonlyArray<KeyProblem> =>
  Either.match(decode(own, projectKeys, contradictionsWithin(own)), {
    onLeft: (problems) => problems,
    onRight: () => []
  })
