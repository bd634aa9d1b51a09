import type * as Either from "effect/Either"
import type { MemoryThresholds } from "./MemoryThresholds.ts"
import type { Settings } from "./Settings.ts"
import type { Merged } from "./SettingsMerge.ts"
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

/** The settings in force, from all their sources, with their paths made absolute. */
export interface EffectiveSettings {
  readonly settings: Settings
  /** By dotted key; what is absent is default. */
  readonly provenance: Merged["provenance"]
  readonly settingsFile: { readonly path: string; readonly found: boolean }
  readonly envFile: NamedFile
  /** Known when the loader was told how much memory there is. */
  readonly thresholds?: MemoryThresholds
  /** Only a start needs one: the settings can be shown without. */
  readonly worker: Either.Either<WorkerToRun, NoWorkerCommand>
}
