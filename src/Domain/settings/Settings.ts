import * as Schema from "effect/Schema"
import { ProjectName } from "../Project.ts"
import { HistorySettings } from "./HistorySettings.ts"
import { LogSettings } from "./LogSettings.ts"
import { MemorySettings } from "./MemorySettings.ts"
import { RestartSettings } from "./RestartSettings.ts"
import { aboutDaemon, NulFree, optionalSetting, setting, Text, table } from "./Setting.ts"
import { WorkerCommand } from "./WorkerCommand.ts"

/** A name that a shell and `environ(7)` take. */
const EnvironmentName = Schema.String.pipe(Schema.pattern(/^[A-Za-z_][A-Za-z0-9_]*$/))

/**
 * The settings of the daemon and one project. Encoded they are the top level of daemon.toml, with its snake_case names;
 * decoded, every default is filled in and every name carries its unit. Its `[projects.NAME]` are taken off before
 * (`SettingsProjects`).
 */
export const Settings = Schema.Struct({
  workingDir: setting("working_dir", Text, ".", {
    description: "The folder in which the worker runs.",
    expects: "a path"
  }),
  project: optionalSetting("project", ProjectName, {
    description: "The name of the project: state, logs and the worker's id carry it.",
    expects:
      "1 to 64 letters, digits, '.', '_' or '-' that begin with a letter or a digit (autopilotd.log is taken)",
    unset: "none",
    topLevelOnly: "cannot be set here: the name of the table is the name of the project"
  }),
  autostart: setting("autostart", Schema.Boolean, true, {
    description: "Whether a start of the daemon starts the project's worker. Projects do not inherit it.",
    expects: "true or false"
  }),
  model: setting("model", Text, "sonnet", {
    description: "The model that a Cargo or Binary worker is told to use.",
    expects: "a text that is not empty"
  }),
  maxBudget: setting("max_budget", Schema.Finite.pipe(Schema.nonNegative()), 300, {
    description: "What a Cargo or Binary worker may spend, in US dollars.",
    expects: "a number, at least 0"
  }),
  maxTurns: setting("max_turns", Schema.Int.pipe(Schema.positive()), 99_999, {
    description: "How many turns a Cargo or Binary worker may take.",
    expects: "a whole number, at least 1"
  }),
  workerCommand: Schema.optionalWith(WorkerCommand, { exact: true, as: "Option" }).pipe(
    Schema.fromKey("worker_command")
  ),
  memory: table("memory", MemorySettings),
  restart: table("restart", RestartSettings),
  log: table("log", LogSettings),
  history: table("history", HistorySettings),
  env: setting(
    "env",
    Schema.Record({ key: EnvironmentName, value: NulFree }),
    {},
    {
      description: "Environment variables for the worker. They win over the env file.",
      expects: "text without a NUL character"
    }
  ),
  envFile: optionalSetting("env_file", Text, {
    description: "A file of KEY=value lines for the worker's environment, read before every start.",
    expects: "a path",
    unset: "~/.autopilot/env"
  }),
  watchConfig: setting("watch_config", Schema.Boolean, false, {
    description: "Whether a change of this file is noticed and taken over by itself.",
    expects: "true or false",
    topLevelOnly: aboutDaemon
  })
})
export type Settings = typeof Settings.Type
