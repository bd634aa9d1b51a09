import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { type RawSettings, tomlText, valueAt } from "../toml/RawSettings.ts"
import { aboutDaemon, noteOf, type SettingNote } from "./Setting.ts"
import { Settings } from "./Settings.ts"

/** One setting as a person meets it. */
interface SettingKey {
  /** Its name in the file with the tables it stands in: `restart.max_backoff_ms`. */
  readonly key: string
  /** Its default as it would stand in the file, or what holds when it is not set. */
  readonly default: string
  readonly description: string
}

interface NotedKey {
  readonly key: string
  readonly note: SettingNote
}

const keysOf = (ast: AST.AST, name: string): ReadonlyArray<NotedKey> => {
  const note = noteOf(ast)
  if (Option.isSome(note)) return [{ key: name, note: note.value }]
  if (AST.isTransformation(ast)) return keysOf(ast.from, name)
  if (AST.isUnion(ast)) return ast.types.flatMap((member) => keysOf(member, name))
  if (!AST.isTypeLiteral(ast)) return []
  return ast.propertySignatures.flatMap((property) =>
    keysOf(property.type, name === "" ? String(property.name) : `${name}.${String(property.name)}`)
  )
}

/** The note of each setting, by its key, in the order of the README. */
export const settingNotes: ReadonlyMap<string, SettingNote> = new Map(
  keysOf(Settings.ast, "").map(({ key, note }) => [key, note])
)

/** The tables of the file. */
export const tables: ReadonlyArray<string> = [
  "worker_command",
  "memory",
  "restart",
  "log",
  "history",
  "env",
  "projects"
]

/** Why a setting cannot stand in `[projects.NAME]`, by its key; what is absent can. */
export const topLevelOnly: ReadonlyMap<string, string> = new Map([
  ...[...settingNotes].flatMap(([key, note]) =>
    note.topLevelOnly === undefined ? [] : [[key, note.topLevelOnly] as const]
  ),
  ["history", aboutDaemon],
  ["projects", "cannot stand here: projects stand side by side, each in its own [projects.NAME]"]
])

/** The settings of the top level that its projects do not inherit. */
export const notInherited: ReadonlyArray<string> = ["project", "autostart"]

const defaults: RawSettings = Schema.encodeSync(Settings)(Schema.decodeUnknownSync(Settings)({}))

/**
 * Every setting with its default and one line about it, for the README, the help and `config check`. All that stands
 * in `[projects.NAME]` is one row: its keys are those of the top level.
 */
export const settingKeys: ReadonlyArray<SettingKey> = [
  ...[...settingNotes].map(([key, note]) => {
    const byDefault = valueAt(defaults, key.split("."))
    return {
      key,
      default: note.unset ?? (byDefault === undefined ? "none" : tomlText(byDefault)),
      description: note.description
    }
  }),
  {
    key: "projects.NAME",
    default: "none",
    description: "One more project: it inherits the settings above and overrides those that it sets itself."
  }
]
