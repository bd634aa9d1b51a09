import * as Schema from "effect/Schema"
import { Count, perhaps } from "../Wire.ts"

/**
 * What it takes until a changed setting holds: nothing but a reload, a start of the project's worker, or a start of
 * the daemon (the command line or the environment it was started with says otherwise).
 */
export const Applies = Schema.Literal("on-reload", "worker-restart", "daemon-restart")
export type Applies = typeof Applies.Type

/** One setting that differs. */
export const SettingChange = Schema.Struct({
  /** As it is called in the file: `restart.max_backoff_ms`, `projects.shop.model`. */
  key: Schema.String,
  /** The values as they would stand in the file. Absent where it was or is not set, and for secrets (`env`). */
  from: perhaps(Schema.String),
  to: perhaps(Schema.String),
  applies: Applies
})
export type SettingChange = typeof SettingChange.Type

/** What differs between two states of the settings file. */
export const SettingsChanges = Schema.Struct({
  changes: Schema.Array(SettingChange),
  projects_added: Schema.Array(Schema.String),
  projects_removed: Schema.Array(Schema.String),
  /**
   * Projects of which other code is run than before: another command, folder or environment, or a project that is new.
   * Whoever writes settings for somebody else should ask first.
   */
  changes_command: Schema.Array(Schema.String)
})
export type SettingsChanges = typeof SettingsChanges.Type

/** The answer to ReloadConfig. */
export const ReloadData = Schema.Struct({
  ...SettingsChanges.fields,
  /** Projects whose worker was restarted for it, because that was asked for. */
  restarted: Schema.Array(Schema.String),
  /** Projects whose worker goes on with what it was started with, until it is restarted. */
  awaiting_restart: Schema.Array(Schema.String)
})
export type ReloadData = typeof ReloadData.Type

/** The answer to GetConfig. */
export const ConfigText = Schema.Struct({
  path: Schema.String,
  /** Whether there is such a file; without one the text is empty and the defaults hold. */
  found: Schema.Boolean,
  text: Schema.String,
  /** Of the text, in hexadecimal: what SetConfig must name. */
  sha256: Schema.String
})
export type ConfigText = typeof ConfigText.Type

/** The answer to SetConfig that was accepted. */
export const ConfigWritten = Schema.Struct({
  ...SettingsChanges.fields,
  /** False for a dry run. */
  written: Schema.Boolean,
  path: Schema.String,
  /** Of the text that was given. */
  sha256: Schema.String
})
export type ConfigWritten = typeof ConfigWritten.Type

/** One thing that is wrong with a text of settings; line and column count from 1. */
export const ConfigProblem = Schema.Struct({
  line: perhaps(Count),
  column: perhaps(Count),
  key: perhaps(Schema.String),
  /** Continues a sentence that begins with the key. */
  reason: Schema.String,
  /** The key that was most likely meant. */
  nearest: perhaps(Schema.String)
})
export type ConfigProblem = typeof ConfigProblem.Type

/** The data of a refused SetConfig or ReloadConfig: nothing was changed. */
export const ConfigRefused = Schema.Struct({
  problems: Schema.Array(ConfigProblem),
  /** Of the file as it is, when the text was made from another one. */
  stale_sha256: perhaps(Schema.String)
})
export type ConfigRefused = typeof ConfigRefused.Type
