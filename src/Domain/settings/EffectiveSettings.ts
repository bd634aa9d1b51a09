import type * as Either from "effect/Either"
import type { ProjectName } from "../Project.ts"
import type { HistorySettings } from "./HistorySettings.ts"
import type { MemorySettings } from "./MemorySettings.ts"
import type { MemoryThresholds } from "./MemoryThresholds.ts"
import type { Settings } from "./Settings.ts"
import type { AboutProject } from "./SettingsAbout.ts"
import type { Merged } from "./SettingsMerge.ts"
import type { FileSettings } from "./SettingsProjects.ts"
import type { Argv, FoundWorker, NoWorkerCommand } from "./WorkerCommand.ts"

/** A file that the settings name or that has a fixed place. */
export interface NamedFile {
  /** Absolute. */
  readonly path: string
  /** Whether a person named it, so that its absence is an error and not the usual case. */
  readonly mustExist: boolean
}

/** The worker that is started, and what exactly is executed. */
export interface WorkerToRun extends FoundWorker {
  readonly argv: Argv
}

/** What holds for one project, from all sources, with its paths made absolute. */
export interface EffectiveProject {
  readonly project: ProjectName
  /** It is the file's top level, and not one of its `[projects.NAME]` tables. */
  readonly isTopLevel: boolean
  readonly settings: Settings
  /** By dotted key, without `projects.NAME`; what is absent is default. */
  readonly provenance: Merged["provenance"]
  readonly envFile: NamedFile
  /** Only a start needs one: the settings can be shown without. */
  readonly worker: Either.Either<WorkerToRun, NoWorkerCommand>
}

/** The settings in force. */
export interface EffectiveSettings {
  readonly settingsFile: {
    readonly path: string
    readonly found: boolean
    /** Of its text, in hexadecimal. */
    readonly sha256: string
  }
  /**
   * In the order of the file, the top level's first. The top level is no project where it has no worker and there are
   * tables: then it only gives the defaults.
   */
  readonly projects: readonly [EffectiveProject, ...ReadonlyArray<EffectiveProject>]
  /** The project that the command line or the environment names, if it is one of a table: a start selects it. */
  readonly named: ProjectName | undefined
  /** Which project the command line is about. A later reading of the file is told, so that it stays that one. */
  readonly about: AboutProject
  /** What the file itself sets, beneath all other sources: a change of it is told even where they hide it. */
  readonly fileSettings: FileSettings
  /** What is about the machine and not about one project. */
  readonly memory: MemorySettings
  /** Known when the loader was told how much memory there is. */
  readonly thresholds?: MemoryThresholds
  /** How much of what has happened is kept. */
  readonly history: HistorySettings
  /** Whether a change of the file is noticed by itself. */
  readonly watchConfig: boolean
}
