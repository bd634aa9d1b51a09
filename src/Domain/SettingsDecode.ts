import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { humanBytes } from "./HumanBytes.ts"
import { nearestName } from "./NearestName.ts"
import { printable } from "./Printable.ts"
import { isTable, type RawSettings, tomlText, valueAt } from "./RawSettings.ts"
import { settingNotes, tables } from "./SettingKeys.ts"
import { Settings } from "./Settings.ts"
import type { KeyProblem } from "./SettingsProblem.ts"

type Path = ReadonlyArray<string | number>

const decodeSettings = Schema.decodeUnknownEither(Settings, { errors: "all", onExcessProperty: "error" })

const longestShown = 60

/** What was found, without its content when it may be a secret. */
const found = (value: unknown, secret: boolean): string => {
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : "an array"
  if (value instanceof Date) return "a date"
  if (isTable(value)) return "a table"
  if (secret) return typeof value === "string" ? "this text" : `a ${typeof value}`
  if (typeof value === "bigint") return `${value}, which is beyond 2^53 - 1`
  return printable(tomlText(value), longestShown)
}

/** The types of worker command and the keys that each takes beside `type`. */
const keysOfType: Readonly<Record<string, ReadonlyArray<string>>> = {
  Cargo: ["manifest_path", "args"],
  Binary: ["path", "args"],
  Command: ["argv"]
}

const unknownKey = (raw: RawSettings, path: Path): KeyProblem => {
  const [first, ...rest] = path.map(String)
  const key = path.join(".")
  if (first === "env")
    return {
      path,
      reason: "is not a name for an environment variable: letters, digits and _, no digit at the beginning"
    }
  const type = valueAt(raw, ["worker_command", "type"])
  const takes = typeof type === "string" ? keysOfType[type] : undefined
  if (first === "worker_command" && takes !== undefined && settingNotes.has(key))
    return { path, reason: `does not go with type = ${tomlText(type)}, which takes ${takes.join(" and ")}` }
  const leaf = rest.at(-1) ?? first ?? ""
  const keys = [...settingNotes.keys()]
  // Called so on the command line, and too far from the key for a slip of the finger.
  if (key === "workdir") return { path, reason: "is not a setting", nearest: "working_dir" }
  // A right name in the wrong table is the likelier slip than a wrong name that resembles others.
  const elsewhere = keys.find((known) => known.split(".").at(-1) === leaf)
  const nearest = elsewhere ?? nearestName(key, [...keys, ...tables]) ?? nearestLeaf(leaf, keys)
  return { path, reason: "is not a setting", ...(nearest === undefined ? {} : { nearest }) }
}

const nearestLeaf = (leaf: string, keys: ReadonlyArray<string>): string | undefined => {
  const last = nearestName(
    leaf,
    keys.map((key) => key.split(".").at(-1) ?? key)
  )
  return keys.find((key) => key.split(".").at(-1) === last)
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
  if (element === undefined) return { path, reason: `must be ${note.expects}, not ${found(value, false)}` }
  const which = `the one at position ${Number(element) + 1} is ${found(valueAt(raw, path), false)}`
  return { path: setting, reason: `must be ${note.expects}, but ${which}` }
}

const problemOf = (raw: RawSettings, issue: ParseResult.ArrayFormatterIssue): KeyProblem => {
  const path = issue.path.map((name) => (typeof name === "symbol" ? String(name) : name))
  if (issue._tag === "Unexpected") return unknownKey(raw, path)
  if (issue._tag !== "Missing") return wrongValue(raw, path)
  const setting = settingAt(path)
  // An element that is missing is a fault of the array: the setting itself is there.
  if (setting.length < path.length) return wrongValue(raw, setting)
  const expects = settingNotes.get(path.join("."))?.expects
  return { path, reason: expects === undefined ? "is missing" : `is missing: it must be ${expects}` }
}

/** Settings that are right one by one but not together. They are compared as they stand, so that nothing hides them. */
const impossibleTogether = (raw: RawSettings): ReadonlyArray<KeyProblem> => {
  const problems: Array<KeyProblem> = []
  const initial = valueAt(raw, ["restart", "initial_backoff_ms"])
  const max = valueAt(raw, ["restart", "max_backoff_ms"])
  const policy = defaults.restart
  const initialMs = initial === undefined ? policy.initialBackoffMs : initial
  const maxMs = max === undefined ? policy.maxBackoffMs : max
  if (typeof initialMs === "number" && typeof maxMs === "number" && initialMs > maxMs) {
    problems.push(
      initial === undefined
        ? {
            path: ["restart", "max_backoff_ms"],
            reason: `(${maxMs}) is below restart.initial_backoff_ms, which is ${initialMs} by default`
          }
        : {
            path: ["restart", "initial_backoff_ms"],
            reason: `(${initialMs}) is above restart.max_backoff_ms (${maxMs}${max === undefined ? " by default" : ""})`
          }
    )
  }
  const critical = valueAt(raw, ["memory", "critical_threshold_bytes"])
  const low = valueAt(raw, ["memory", "min_available_bytes"])
  if (typeof critical === "number" && typeof low === "number" && critical >= low) {
    const figures = `${humanBytes(critical)}) must be below memory.min_available_bytes (${humanBytes(low)})`
    problems.push({ path: ["memory", "critical_threshold_bytes"], reason: `(${figures}` })
  }
  return problems
}

/** What holds when nothing is set. */
export const defaults: Settings = Schema.decodeUnknownSync(Settings)({})

const keyOf = (problem: KeyProblem) => problem.path.join("\u0000")

/**
 * Settings as they stand in a file, decoded, with every default filled in; or everything that is wrong with them.
 * A value of `env` appears in no problem, because it may be a secret.
 */
export const decodeRaw = (raw: RawSettings): Either.Either<Settings, ReadonlyArray<KeyProblem>> => {
  const decoded = decodeSettings(raw)
  const issues = Either.isRight(decoded) ? [] : ParseResult.ArrayFormatter.formatErrorSync(decoded.left)
  const problems = [...issues.map((issue) => problemOf(raw, issue)), ...impossibleTogether(raw)]
  const oncePerKey = [...new Map(problems.map((problem) => [keyOf(problem), problem])).values()]
  return Either.isRight(decoded) && oncePerKey.length === 0
    ? Either.right(decoded.right)
    : Either.left(oncePerKey)
}
