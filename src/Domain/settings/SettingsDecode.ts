import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { printable } from "../text/Printable.ts"
import { isTable, type RawSettings, tomlText, valueAt } from "../toml/RawSettings.ts"
import { settingNotes } from "./SettingKeys.ts"
import { Settings } from "./Settings.ts"
import { impossibleHere, impossibleTogether } from "./SettingsCombination.ts"
import type { KeyProblem } from "./SettingsProblem.ts"
import { projectKeys, topLevelKeys, unknownKey, type ValidKeys } from "./SettingsUnknownKey.ts"

type Path = ReadonlyArray<string | number>

const decodeSettings = Schema.decodeUnknownEither(Settings, { errors: "all", onExcessProperty: "error" })

const longestShown = 60

/** What was found, without its content when it may be a secret. */
export const found = (value: unknown, secret: boolean): string => {
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : "an array"
  if (value instanceof Date) return "a date"
  if (isTable(value)) return "a table"
  if (secret) return typeof value === "string" ? "this text" : `a ${typeof value}`
  if (typeof value === "bigint") return `${value}, which is beyond 2^53 - 1`
  return printable(tomlText(value), longestShown)
}

/** The longest beginning of a path that is a setting: what follows is inside its value. */
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
  const secret = setting[0] === "env"
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

const problemOf = (
  raw: RawSettings,
  issue: ParseResult.ArrayFormatterIssue,
  valid: ValidKeys
): KeyProblem => {
  const path = issue.path.map((name) => (typeof name === "symbol" ? String(name) : name))
  if (issue._tag === "Unexpected") return unknownKey(raw, path, valid)
  if (issue._tag !== "Missing") return wrongValue(raw, path)
  const setting = settingAt(path)
  // An element that is missing is a fault of the array: the setting itself is there.
  if (setting.length < path.length) return wrongValue(raw, setting)
  const expects = settingNotes.get(path.join("."))?.expects
  return { path, reason: expects === undefined ? "is missing" : `is missing: it must be ${expects}` }
}

/** What holds when nothing is set. */
export const defaults: Settings = Schema.decodeUnknownSync(Settings)({})

const keyOf = (problem: KeyProblem) => problem.path.join("\u0000")

const oncePerKey = (problems: ReadonlyArray<KeyProblem>): ReadonlyArray<KeyProblem> => [
  ...new Map(problems.map((problem) => [keyOf(problem), problem])).values()
]

const decode = (raw: RawSettings, valid: ValidKeys, together: ReadonlyArray<KeyProblem>) => {
  const decoded = decodeSettings(raw)
  const issues = Either.isRight(decoded) ? [] : ParseResult.ArrayFormatter.formatErrorSync(decoded.left)
  const problems = oncePerKey([...issues.map((issue) => problemOf(raw, issue, valid)), ...together])
  return Either.isRight(decoded) && problems.length === 0
    ? Either.right(decoded.right)
    : Either.left(problems)
}

/**
 * Settings of one project as they stand in a file, decoded, with every default filled in; or everything that is wrong
 * with them. A value of `env` appears in no problem, because it may be a secret. Where some are inherited, `own` are
 * the others: what does not go together is told of these.
 */
export const decodeRaw = (
  raw: RawSettings,
  own: RawSettings = raw
): Either.Either<Settings, ReadonlyArray<KeyProblem>> =>
  decode(raw, topLevelKeys, impossibleTogether(raw, own))

/** What is wrong with a project's own settings, whatever it inherits. */
export const problemsOfOwn = (own: RawSettings): ReadonlyArray<KeyProblem> =>
  Either.match(decode(own, projectKeys, impossibleHere(own)), {
    onLeft: (problems) => problems,
    onRight: () => []
  })
