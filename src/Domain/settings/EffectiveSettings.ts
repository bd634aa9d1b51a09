import type * as Either from "effect/Either"
import type { ProjectName } from "../Project.ts"
import type { MemorySettings } from "./MemorySettings.ts"
import type { MemoryThresholds } from "./MemoryThresholds.ts"
import type { HeartbeatSettings, MetricsSettings } from "./MetricsSettings.ts"
import type { NotifySettings } from "./NotifySettings.ts"
import type { HistorySettings } from "./RetentionSettings.ts"
import type { Settings } from "./Settings.ts"
import type { Merged } from "./SettingsMerge.ts"
import type { InvalidProject } from "./SettingsProblem.ts"
import type { AboutProject, FileSettings } from "./SettingsProjects.ts"
import type { Argv } from "./WorkerCommand.ts"
import type { FoundWorker, NoWorkerCommand } from "./WorkerLookup.ts"

/** A file named by a setting, or one at its default path. */
export interface NamedFile {
  /** Absolute. */
  readonly path: string
  /** True for a file that a setting names: its absence is an error. */
  readonly mustExist: boolean
}

/** The worker command with the arguments it is executed with. */
export interface WorkerToRun extends FoundWorker {
  readonly argv: Argv
}

/** The settings in force for one project, from all sources, with absolute paths. */
export interface EffectiveProject {
  readonly project: ProjectName
  /** True for the project of the top level, false for one of `[projects.NAME]`. */
  readonly isTopLevel: boolean
  readonly settings: Settings
  /** By dotted key, without `projects.NAME`. Absent keys have their default. */
  readonly provenance: Merged["provenance"]
  readonly envFile: NamedFile
  /**
   * Only a start needs a worker; `config check` shows settings without one. A project whose table has mistakes has the
   * settings that it would have with an empty one.
   */
  readonly worker: Either.Either<WorkerToRun, NoWorkerCommand | InvalidProject>
}

/** The settings in force. */
export interface EffectiveSettings {
  readonly settingsFile: {
    readonly path: string
    readonly found: boolean
    /** The whole file, which may hold secrets. */
    readonly text: string
  }
  /**
   * In the order of the file, the top level's first. Beside tables, a top level without a worker is no project: it only
   * gives the defaults.
   */
  readonly projects: readonly [EffectiveProject, ...ReadonlyArray<EffectiveProject>]
  /** The projects among them that `autopilotd run` has added. */
  readonly added: ReadonlyArray<string>
  /** The table that the command line or the environment names. A start selects it. */
  readonly named: ProjectName | undefined
  /** The project that the command line applies to. A reload passes it on, so that it stays the same. */
  readonly about: AboutProject
  /** The settings of the file alone. A reload reports their changes even where another source overrides them. */
  readonly fileSettings: FileSettings
  /** Thresholds and policies of the whole machine. */
  readonly memory: MemorySettings
  /** Absent when the loader does not know the size of the memory. */
  readonly thresholds?: MemoryThresholds
  readonly history: HistorySettings
  readonly metrics: MetricsSettings
  readonly heartbeat: HeartbeatSettings
  readonly notify: NotifySettings
  /** Reload the file automatically when it changes. */
  readonly watchConfig: boolean
}
