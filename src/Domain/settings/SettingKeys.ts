import { humanBytes, humanDuration } from "../text/Amounts.ts"
import { type Field, type FieldNote, type Form, fieldsIn, writtenTable } from "../toml/Form.ts"
import type { RawSettings } from "../toml/RawSettings.ts"
import { aboutDaemon } from "./Setting.ts"
import type { Settings } from "./Settings.ts"
import { settingsForm } from "./SettingsShape.ts"

/** The form of the settings file. */
export const formOfFile = settingsForm()

const fields = fieldsIn(formOfFile)

/** The setting with a key. */
export const fieldOf = (key: string): Field | undefined => fields.find(([name]) => name === key)?.[1]

/** The note of each setting by its key, in the order of the reference. */
export const settingNotes: ReadonlyMap<string, FieldNote> = new Map(
  fields.flatMap(([key, { note }]) => (note === undefined ? [] : [[key, note] as const]))
)

const wordsOf = (form: Form): ReadonlyArray<string> => {
  if ("literals" in form) return form.literals.map(String)
  if ("either" in form) return form.either.flatMap(wordsOf)
  return "is" in form && form.is === "boolean" ? ["true", "false"] : []
}

/** The words that a setting may be, by its key. The `type` of a worker has one for each kind. */
export const settingValues = (): ReadonlyMap<string, ReadonlyArray<string>> => {
  const values = new Map<string, ReadonlyArray<string>>()
  for (const [key, { form }] of fields) {
    const words = wordsOf(form)
    if (words.length > 0) values.set(key, [...(values.get(key) ?? []), ...words])
  }
  return values
}

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
export const defaultOf = (key: string): unknown =>
  key.startsWith("worker_command.") ? undefined : fieldOf(key)?.byDefault

/** Settings as the file would have them, with all defaults. */
export const inFile = (settings: Settings): RawSettings => writtenTable(formOfFile, settings)

/** A large number of milliseconds or bytes with a unit: `500 MiB`. Undefined for any other value. */
export const readableAmount = (key: string, value: unknown): string | undefined => {
  if (typeof value !== "number") return undefined
  if (key.endsWith("_ms") && value >= 1000) return humanDuration(value)
  return key.endsWith("_bytes") && value >= 1024 ? humanBytes(value) : undefined
}
