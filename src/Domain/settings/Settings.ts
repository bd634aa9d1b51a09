import * as Schema from "effect/Schema"
import { ProjectName } from "../Project.ts"
import { projectNameExpected } from "../ProjectNameRules.ts"
import { AgentSettings, BudgetSettings, maxBudgetPerDay } from "./AgentSettings.ts"
import { MemorySettings } from "./MemorySettings.ts"
import { HeartbeatSettings, MetricsSettings } from "./MetricsSettings.ts"
import { NotifySettings } from "./NotifySettings.ts"
import { RestartSettings } from "./RestartSettings.ts"
import { HistorySettings, LogSettings } from "./RetentionSettings.ts"
import { aboutDaemon, NulFree, optionalSetting, setting, Text, table } from "./Setting.ts"
import { WorkerCommand } from "./WorkerCommand.ts"

/** A variable name that a shell accepts; see environ(7). */
const EnvironmentName = Schema.String.pipe(Schema.pattern(/^[A-Za-z_][A-Za-z0-9_]*$/))

/**
 * The settings of the daemon and of one project. The encoded side is the top level of daemon.toml without
 * `[projects.NAME]`, which `SettingsProjects` takes off first. The decoded side has every default filled in.
 */
export const Settings = Schema.Struct({
  workingDir: setting("working_dir", Text, ".", {
    description: "Working directory of the worker.",
    expects: "a path"
  }),
  project: optionalSetting("project", ProjectName, {
    description: "Name of the project, part of its state file, its log folder and the worker's id.",
    expects: projectNameExpected,
    unset: "none",
    topLevelOnly: "cannot be set here: the name of the table is the name of the project"
  }),
  autostart: setting("autostart", Schema.Boolean, true, {
    description: "Start the worker when the daemon starts. Projects do not inherit it.",
    expects: "true or false"
  }),
  model: setting("model", Text, "sonnet", {
    description: "Model of a Claude, Cargo or Binary worker.",
    expects: "a text that is not empty"
  }),
  maxBudget: setting("max_budget", Schema.Finite.pipe(Schema.nonNegative()), 300, {
    description:
      "Spending limit of a Claude worker for its whole work, and of each run of a Cargo or Binary worker, in US dollars.",
    expects: "a number, at least 0"
  }),
  maxBudgetPerDay,
  maxTurns: setting("max_turns", Schema.Int.pipe(Schema.positive()), 99_999, {
    description:
      "Maximum number of turns of a Claude worker for its whole work, and of each run of a Cargo or Binary worker.",
    expects: "a whole number, at least 1"
  }),
  workerCommand: Schema.optionalWith(WorkerCommand, { exact: true }).pipe(Schema.fromKey("worker_command")),
  agent: table(
    "agent",
    AgentSettings,
    "The session of an agent that the daemon knows (Claude Code, Codex, Gemini CLI, Qwen Code, OpenCode)."
  ),
  budget: table("budget", BudgetSettings, "Spending of all projects together."),
  memory: table(
    "memory",
    MemorySettings,
    "Thresholds for low memory, and the processes that the daemon may kill or restart to free it."
  ),
  restart: table(
    "restart",
    RestartSettings,
    "When the daemon restarts a worker, after which delay, and how it stops one."
  ),
  log: table("log", LogSettings, "Files and journal that receive the worker's output."),
  history: table("history", HistorySettings, "Retention of the events in history.jsonl."),
  metrics: table("metrics", MetricsSettings, "What Prometheus and probes read over HTTP."),
  heartbeat: table(
    "heartbeat",
    HeartbeatSettings,
    "A sign of life to a service that raises an alarm when it misses one."
  ),
  notify: table("notify", NotifySettings, "Notifications to a desktop, a phone or a chat."),
  env: setting(
    "env",
    Schema.Record({ key: EnvironmentName, value: NulFree }),
    {},
    {
      description: "Environment variables of the worker. They override those of the env file.",
      expects: "text without a NUL character"
    }
  ),
  envFile: optionalSetting("env_file", Text, {
    description: "File of KEY=value lines for the worker's environment, read before each start.",
    expects: "a path",
    unset: "~/.autopilot/env"
  }),
  watchConfig: setting("watch_config", Schema.Boolean, false, {
    description: "Reload the settings file automatically when it changes.",
    expects: "true or false",
    topLevelOnly: aboutDaemon
  })
})
export type Settings = typeof Settings.Type
