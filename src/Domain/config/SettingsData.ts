import * as Schema from "effect/Schema"
import { Count, perhaps } from "../Wire.ts"

/**
 * The act that brings a changed setting into force: a reload, the next start of the project's worker, or a new start of
 * the daemon, because the command line or the environment of the running one overrides the file.
 */
export const Applies = Schema.Literal("on-reload", "worker-restart", "daemon-restart")
export type Applies = typeof Applies.Type

/** One setting that differs. */
export const SettingChange = Schema.Struct({
  /** The key in the file: `restart.max_backoff_ms`, `projects.shop.model`. */
  key: Schema.String,
  /** The values as TOML. Absent where the setting was or is not set, and for secrets (`env`). */
  from: perhaps(Schema.String),
  to: perhaps(Schema.String),
  applies: Applies
})
export type SettingChange = typeof SettingChange.Type

/** The differences between two versions of the settings file. */
export const SettingsChanges = Schema.Struct({
  changes: Schema.Array(SettingChange),
  projects_added: Schema.Array(Schema.String),
  projects_removed: Schema.Array(Schema.String),
  /**
   * New projects, and those whose command, folder or environment changes: other code will run. A client that writes
   * settings for a user should have them confirmed first.
   */
  changes_command: Schema.Array(Schema.String)
})
export type SettingsChanges = typeof SettingsChanges.Type

/** The answer to ReloadConfig. */
export const ReloadData = Schema.Struct({
  ...SettingsChanges.fields,
  /** Projects whose worker was restarted, as `restart` requested. */
  restarted: Schema.Array(Schema.String),
  /** Projects whose worker keeps the settings of its start until it is restarted. */
  awaiting_restart: Schema.Array(Schema.String)
})
export type ReloadData = typeof ReloadData.Type

/** The answer to GetConfig. */
export const ConfigText = Schema.Struct({
  path: Schema.String,
  /** False when there is no such file: the text is empty and the defaults are in force. */
  found: Schema.Boolean,
  text: Schema.String,
  /** The hash of the text, in hexadecimal, for SetConfig. */
  sha256: Schema.String
})
export type ConfigText = typeof ConfigText.Type

/** The answer to SetConfig that was accepted. */
export const ConfigWritten = Schema.Struct({
  ...SettingsChanges.fields,
  /** False for a dry run. */
  written: Schema.Boolean,
  path: Schema.String,
  /** The hash of the new text. */
  sha256: Schema.String
})
export type ConfigWritten = typeof ConfigWritten.Type

/** One problem of a settings text; line and column count from 1. */
export const ConfigProblem = Schema.Struct({
  line: perhaps(Count),
  column: perhaps(Count),
  key: perhaps(Schema.String),
  /** Continues a sentence that begins with the key. */
  reason: Schema.String,
  /** The valid key that is most like it. */
  nearest: perhaps(Schema.String)
})
export type ConfigProblem = typeof ConfigProblem.Type

/** The data of a refused SetConfig or ReloadConfig: nothing was changed. */
export const ConfigRefused = Schema.Struct({
  problems: Schema.Array(ConfigProblem),
  /** The hash of the present file, when the text was made from another one. */
  stale_sha256: perhaps(Schema.String)
})
export type ConfigRefused = typeof ConfigRefused.Type
