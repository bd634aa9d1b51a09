import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { humanBytes, humanDuration } from "../text/Amounts.ts"
import { type RawSettings, tomlText, valueAt } from "../toml/RawSettings.ts"
import { aboutDaemon, noteOf, type SettingNote } from "./Setting.ts"
import { Settings } from "./Settings.ts"

/** One row of the reference of settings. */
interface SettingKey {
  /** The name with its tables: `restart.max_backoff_ms`. */
  readonly key: string
  /** The default as TOML, or in words what applies when it is not set. */
  readonly default: string
  readonly description: string
}

/** Every setting and every table of settings with its dotted key, in the order of the schema. */
const nodesOf = (ast: AST.AST, key: string): ReadonlyArray<readonly [key: string, ast: AST.AST]> => {
  const inside = (inner: AST.AST): ReturnType<typeof nodesOf> => {
    if (AST.isTransformation(inner)) return inside(inner.from)
    if (AST.isUnion(inner)) return inner.types.flatMap(inside)
    if (!AST.isTypeLiteral(inner)) return []
    return inner.propertySignatures.flatMap(({ name, type }) =>
      nodesOf(type, key === "" ? String(name) : `${key}.${String(name)}`)
    )
  }
  return [[key, ast], ...(Option.isSome(noteOf(ast)) ? [] : inside(ast))]
}

const nodes = nodesOf(Settings.ast, "")

/** The note of each setting by its key, in the order of the reference. */
export const settingNotes: ReadonlyMap<string, SettingNote> = new Map(
  nodes.flatMap(([key, ast]) => Option.toArray(Option.map(noteOf(ast), (note) => [key, note] as const)))
)

const wordsOf = (ast: AST.AST): ReadonlyArray<string> => {
  if (AST.isBooleanKeyword(ast)) return ["true", "false"]
  if (AST.isLiteral(ast)) return [String(ast.literal)]
  if (AST.isUnion(ast)) return ast.types.flatMap(wordsOf)
  return AST.isRefinement(ast) || AST.isTransformation(ast) ? wordsOf(ast.from) : []
}

/** The words that a setting may be, by its key. */
export const settingValues: ReadonlyMap<string, ReadonlyArray<string>> = new Map(
  nodes.flatMap(([key, ast]) => {
    const words = settingNotes.has(key) ? wordsOf(ast) : []
    return words.length === 0 ? [] : [[key, words] as const]
  })
)

/** The description of each table of settings by its key. */
export const tableDescriptions: ReadonlyMap<string, string> = new Map(
  nodes.flatMap(([key, ast]) =>
    settingNotes.has(key)
      ? []
      : Option.toArray(Option.map(AST.getDescriptionAnnotation(ast), (text) => [key, text] as const))
  )
)

/** The tables of the file. */
export const tables: ReadonlyArray<string> = [
  "worker_command",
  "agent",
  "budget",
  "memory",
  "restart",
  "log",
  "history",
  "metrics",
  "heartbeat",
  "notify",
  "env",
  "projects"
]

/** Why a setting cannot stand in `[projects.NAME]`, by its key. Absent for a setting that can. */
export const topLevelOnly: ReadonlyMap<string, string> = new Map([
  ...[...settingNotes].flatMap(([key, note]) =>
    note.topLevelOnly === undefined ? [] : [[key, note.topLevelOnly] as const]
  ),
  ["history", aboutDaemon],
  ["metrics", aboutDaemon],
  ["heartbeat", aboutDaemon],
  ["notify", aboutDaemon],
  ["budget", aboutDaemon],
  ["projects", "cannot stand here: projects stand side by side, each in its own [projects.NAME]"]
])

/** The settings of the top level that its projects do not inherit. */
export const notInherited: ReadonlyArray<string> = ["project", "autostart"]

/** The settings that only a Claude, Cargo or Binary worker receives, as arguments. */
export const workerArguments: ReadonlyArray<string> = ["model", "max_budget", "max_turns"]

/** The settings, or their tables, that a worker keeps for a whole run. A change applies at its next start. */
export const appliedAtStart: ReadonlyArray<string> = [
  "metrics.agent",
  "working_dir",
  "worker_command",
  "env",
  "env_file",
  ...workerArguments
]

/** The default of a setting as a value of the file; undefined for a setting without one. */
export const defaultOf = (key: string): unknown => {
  const defaults: RawSettings = Schema.encodeSync(Settings)(Schema.decodeSync(Settings)({}))
  return valueAt(defaults, key.split("."))
}

/** A large number of milliseconds or bytes with a unit: `500 MiB`. Undefined for any other value. */
export const readableAmount = (key: string, value: unknown): string | undefined => {
  if (typeof value !== "number") return undefined
  if (key.endsWith("_ms") && value >= 1000) return humanDuration(value)
  return key.endsWith("_bytes") && value >= 1024 ? humanBytes(value) : undefined
}

/** The row that stands for all settings in `[projects.NAME]`: their keys are those of the top level. */
export const projectsKey: SettingKey = {
  key: "projects.NAME",
  default: "none",
  description: "One more project. It inherits the settings of the top level and overrides those that it sets."
}

/** Every setting with its default. */
export const settingKeys = (): ReadonlyArray<SettingKey> => [
  ...[...settingNotes].map(([key, { description, unset }]) => {
    const value = defaultOf(key)
    return { key, default: unset ?? (value === undefined ? "none" : tomlText(value)), description }
  }),
  projectsKey
]
