import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { humanBytes, humanDuration } from "../text/Amounts.ts"
import { type RawSettings, tomlText, valueAt } from "../toml/RawSettings.ts"
import type { EffectiveProject, EffectiveSettings } from "./EffectiveSettings.ts"
import { withoutWorker } from "./ProjectsWithoutWorker.ts"
import { settingNotes } from "./SettingKeys.ts"
import { Settings } from "./Settings.ts"
import { type Provenance, provenanceOf } from "./SettingsMerge.ts"

/** What is told of a secret: that it is there, and enough to notice a truncated one. */
export interface MaskedValue {
  readonly name: string
  readonly characters: number
}

/** One setting in force. `value` is absent when it is not set and has no default. */
export interface ReportedSetting {
  readonly key: string
  readonly value?: unknown
  /** The value, or what holds without one, for people. */
  readonly text: string
  readonly source: Provenance
}

/** What is executed for a project, and with what. */
export interface ReportedWorker {
  readonly worker_command: { readonly argv: ReadonlyArray<string>; readonly source: string } | null
  readonly env_file: string
  readonly env_file_variables: ReadonlyArray<MaskedValue>
  readonly warnings: ReadonlyArray<string>
}

/** One project of several: what is its own. */
export interface ProjectSettingsReport extends ReportedWorker {
  readonly project: string
  readonly autostart: boolean
  /** What its table sets, and the command line if that is about it. Empty for the top level, which has no other. */
  readonly overrides: ReadonlyArray<ReportedSetting>
  /** Its own variables, without those it inherits. */
  readonly env: ReadonlyArray<MaskedValue>
  /** Why no worker can be started. */
  readonly worker_problem?: string
}

/**
 * What `config check` tells, as it is printed with `--json`: all about one project, and what is different in each. No
 * value of `env` or of an env file is in it.
 */
export interface SettingsReport extends ReportedWorker {
  readonly settings_file: string
  readonly settings_file_found: boolean
  /** The project that the next fields are about. */
  readonly project: string
  readonly settings: ReadonlyArray<ReportedSetting>
  readonly env: ReadonlyArray<MaskedValue>
  /** Every project, in the order of the file; the one above is among them. */
  readonly projects: ReadonlyArray<ProjectSettingsReport>
}

/** What an env file sets and what a person should know about it. */
interface EnvFileContents {
  readonly values: Readonly<Record<string, string>>
  readonly warnings: ReadonlyArray<string>
}

const masked = (values: Readonly<Record<string, string>>): ReadonlyArray<MaskedValue> =>
  Object.entries(values).map(([name, value]) => ({ name, characters: [...value].length }))

/** A large figure is told a second time as people say it. */
const withUnit = (key: string, value: unknown): string => {
  if (typeof value !== "number") return tomlText(value)
  if (key.endsWith("_ms") && value >= 1000) return `${value} (${humanDuration(value)})`
  if (key.endsWith("_bytes") && value >= 1024) return `${value} (${humanBytes(value)})`
  return String(value)
}

const whenUnset = (key: string, { envFile }: EffectiveProject, { thresholds }: EffectiveSettings): string => {
  if (key === "env_file") return tomlText(envFile.path)
  if (thresholds !== undefined && key === "memory.min_available_bytes")
    return `${humanBytes(thresholds.minAvailableBytes)} (scaled to this machine)`
  if (thresholds !== undefined && key === "memory.critical_threshold_bytes")
    return `${humanBytes(thresholds.criticalBytes)} (scaled to this machine)`
  return settingNotes.get(key)?.unset ?? "none"
}

/** The settings with a value of their own, in the order of the README. */
const single = [...settingNotes.keys()].filter((key) => key !== "env" && !key.startsWith("worker_command."))

const rowsOf = (project: EffectiveProject, effective: EffectiveSettings): ReadonlyArray<ReportedSetting> => {
  const encoded: RawSettings = Schema.encodeSync(Settings)(project.settings)
  return single.map((key) => {
    const value = valueAt(encoded, key.split("."))
    const source = provenanceOf(project, key)
    return value === undefined
      ? { key, text: whenUnset(key, project, effective), source }
      : { key, value, text: withUnit(key, value), source }
  })
}

const workerOf = ({ envFile, worker }: EffectiveProject, contents: EnvFileContents): ReportedWorker => ({
  worker_command: Either.isRight(worker) ? { argv: worker.right.argv, source: worker.right.source } : null,
  env_file: envFile.path,
  env_file_variables: masked(contents.values),
  warnings: contents.warnings
})

/** Whether a project of a table has a value from elsewhere than what all inherit. */
const isOwn = (source: Provenance): boolean => source === "command line" || source.startsWith("file [")

const projectReport = (
  project: EffectiveProject,
  effective: EffectiveSettings,
  contents: EnvFileContents
): ProjectSettingsReport => {
  const own = (source: Provenance) => !project.isTopLevel && isOwn(source)
  const env = Object.entries(project.settings.env).filter(([name]) =>
    own(provenanceOf(project, `env.${name}`))
  )
  return {
    project: project.project,
    autostart: project.settings.autostart,
    overrides: rowsOf(project, effective).filter(({ key, source }) => key !== "project" && own(source)),
    env: masked(Object.fromEntries(env)),
    ...workerOf(project, contents),
    ...Option.match(withoutWorker({ projects: [project] }), {
      onNone: () => ({}),
      onSome: ({ message }) => ({ worker_problem: message })
    })
  }
}

/**
 * The settings in force, each with where it came from, and the names of the worker's secrets: in full for the project
 * that the command line names, else for the first.
 */
export const settingsReport = (
  effective: EffectiveSettings,
  envFileOf: (project: EffectiveProject) => EnvFileContents
): SettingsReport => {
  const { projects, settingsFile } = effective
  const project = projects.find((one) => one.project === effective.named) ?? projects[0]
  const contents = envFileOf(project)
  return {
    settings_file: settingsFile.path,
    settings_file_found: settingsFile.found,
    project: project.project,
    settings: rowsOf(project, effective),
    env: masked(project.settings.env),
    ...workerOf(project, contents),
    warnings: contents.warnings,
    projects: projects.map((one) => projectReport(one, effective, envFileOf(one)))
  }
}
