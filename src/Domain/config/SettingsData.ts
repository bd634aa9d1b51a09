import * as Schema from "effect/Schema"
import { Count, field, perhaps } from "../Wire.ts"

/**
 * The act that brings a changed setting into force: a reload, the next start of the project's worker, or a new start of
 * the daemon, because the command line or the environment of the running one overrides the file.
 */
export const Applies = Schema.Literal("on-reload", "worker-restart", "daemon-restart")
export type Applies = typeof Applies.Type

/** One setting that differs. */
export const SettingChange = Schema.Struct({
  key: field(Schema.String, "The key in the file: `restart.max_backoff_ms`, `projects.shop.model`"),
  from: perhaps(
    Schema.String,
    "The value before, as TOML. Absent where it was not set, and for secrets (`env`, the URL of a channel)"
  ),
  to: perhaps(Schema.String, "The value after, likewise"),
  applies: field(
    Applies,
    "What brings it into force: a reload, the next start of the worker, or of the daemon"
  )
})
export type SettingChange = typeof SettingChange.Type

/** The differences between two versions of the settings file. */
export const SettingsChanges = Schema.Struct({
  changes: field(Schema.Array(SettingChange), "The settings that differ"),
  projects_added: field(Schema.Array(Schema.String), "New projects"),
  projects_removed: field(Schema.Array(Schema.String), "Projects that are gone"),
  changes_command: field(
    Schema.Array(Schema.String),
    "New projects, and those whose command, folder or environment changes: other code will run. A client that writes settings for a user should have them confirmed first"
  )
})
export type SettingsChanges = typeof SettingsChanges.Type

/** The answer to ReloadConfig. */
export const ReloadData = Schema.Struct({
  ...SettingsChanges.fields,
  restarted: field(
    Schema.Array(Schema.String),
    "Projects whose worker was restarted, as `restart` requested"
  ),
  awaiting_restart: field(
    Schema.Array(Schema.String),
    "Projects whose worker keeps the settings of its start until it is restarted"
  )
})
export type ReloadData = typeof ReloadData.Type

/** The answer to GetConfig. */
export const ConfigText = Schema.Struct({
  path: field(Schema.String, "The settings file"),
  found: field(
    Schema.Boolean,
    "False when there is no such file: the text is empty and the defaults are in force"
  ),
  text: field(Schema.String, "The text of the file"),
  sha256: field(Schema.String, "The hash of the text, in hexadecimal, for SetConfig")
})
export type ConfigText = typeof ConfigText.Type

/** The answer of `config show`. */
export const ShownConfig = Schema.Struct({
  ...ConfigText.fields,
  text: field(Schema.String, "The text of the file, its secrets masked"),
  sha256: field(Schema.String, "The hash of the text in the file, in hexadecimal")
})

/** The answer to SetConfig that was accepted. */
export const ConfigWritten = Schema.Struct({
  ...SettingsChanges.fields,
  written: field(Schema.Boolean, "False for a dry run"),
  path: field(Schema.String, "The settings file"),
  sha256: field(Schema.String, "The hash of the new text")
})
export type ConfigWritten = typeof ConfigWritten.Type

/** One problem of a settings text; line and column count from 1. */
export const ConfigProblem = Schema.Struct({
  line: perhaps(Count, "Counts from 1"),
  column: perhaps(Count, "Counts from 1"),
  key: perhaps(Schema.String, "The key of the setting"),
  reason: field(Schema.String, "Continues a sentence that begins with the key"),
  nearest: perhaps(Schema.String, "The valid key that is most like it")
})
export type ConfigProblem = typeof ConfigProblem.Type

/** The data of a refused SetConfig or ReloadConfig: nothing was changed. */
export const ConfigRefused = Schema.Struct({
  problems: field(Schema.Array(ConfigProblem), "Each problem with its place"),
  stale_sha256: perhaps(
    Schema.String,
    "The hash of the present file, when the text was made from another one"
  )
})
export type ConfigRefused = typeof ConfigRefused.Type
