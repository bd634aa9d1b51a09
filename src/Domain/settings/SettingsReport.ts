import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { counted, humanBytes } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import { shellLine } from "../text/ShellLine.ts"
import { aligned } from "../text/Table.ts"
import { isTable, tomlText, valueAt } from "../toml/RawSettings.ts"
import type { EffectiveProject, EffectiveSettings } from "./EffectiveSettings.ts"
import { maskedChannels } from "./NotifySettings.ts"
import { inFile, readableAmount, settingNotes } from "./SettingKeys.ts"
import { type Provenance, provenanceOf } from "./SettingsMerge.ts"
import { withoutWorker } from "./WorkerLookup.ts"

/** A secret without its value. The length shows a truncated one. */
interface MaskedValue {
  readonly name: string
  readonly characters: number
}

/** One setting in force. `value` is absent when the setting has neither value nor default. */
export interface ReportedSetting {
  readonly key: string
  readonly value?: unknown
  /** The value as shown to the user, or what applies without one. */
  readonly text: string
  readonly source: Provenance
}

/** The command and the environment of a project's worker. */
interface ReportedWorker {
  readonly worker_command: { readonly argv: ReadonlyArray<string>; readonly source: string } | null
  readonly env_file: string
  readonly env_file_variables: ReadonlyArray<MaskedValue>
  readonly warnings: ReadonlyArray<string>
}

/** One of several projects, with the settings that differ from the inherited ones. */
interface ProjectSettingsReport extends ReportedWorker {
  readonly project: string
  readonly autostart: boolean
  /** Settings of its table and of the command line. Empty for the top level. */
  readonly overrides: ReadonlyArray<ReportedSetting>
  /** Variables that it does not inherit. */
  readonly env: ReadonlyArray<MaskedValue>
  /** Why no worker can be started. */
  readonly worker_problem?: string
}

/**
 * The answer of `config check --json`: all settings of one project, and the differences of each other one. It contains
 * no value of `env` or of an env file.
 */
export interface SettingsReport extends ReportedWorker {
  readonly settings_file: string
  readonly settings_file_found: boolean
  /** The project of the following fields. */
  readonly project: string
  readonly settings: ReadonlyArray<ReportedSetting>
  readonly env: ReadonlyArray<MaskedValue>
  /** Every project in the order of the file, including the one above. */
  readonly projects: ReadonlyArray<ProjectSettingsReport>
}

interface EnvFileContents {
  readonly values: Readonly<Record<string, string>>
  readonly warnings: ReadonlyArray<string>
}

const masked = (values: Readonly<Record<string, string>>): ReadonlyArray<MaskedValue> =>
  Object.entries(values).map(([name, value]) => ({ name, characters: [...value].length }))

const withUnit = (key: string, value: unknown): string => {
  const amount = readableAmount(key, value)
  return amount === undefined ? tomlText(value) : `${tomlText(value)} (${amount})`
}

const whenUnset = (key: string, { envFile }: EffectiveProject, { thresholds }: EffectiveSettings): string => {
  if (key === "env_file") return tomlText(envFile.path)
  if (thresholds !== undefined && key === "memory.min_available_bytes")
    return `${humanBytes(thresholds.minAvailableBytes)} (scaled to this machine)`
  if (thresholds !== undefined && key === "memory.critical_threshold_bytes")
    return `${humanBytes(thresholds.criticalBytes)} (scaled to this machine)`
  return settingNotes.get(key)?.unset ?? "none"
}

/** The settings of the report's table. `env` and `worker_command` have sections of their own. */
const single = [...settingNotes.keys()].filter((key) => key !== "env" && !key.startsWith("worker_command."))

const rowsOf = (project: EffectiveProject, effective: EffectiveSettings): ReadonlyArray<ReportedSetting> => {
  const encoded = inFile(project.settings)
  return single.map((key) => {
    const given = valueAt(encoded, key.split("."))
    const value = key === "notify.to" && isTable(given) ? maskedChannels(given) : given
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

/** True for a value that a project does not inherit. */
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
 * The settings in force with their sources and the names of the worker's secrets. The project that the command line
 * names, else the first one, is reported in full.
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

/** A longer value has its source on the next line, so that the column of sources stays in view. */
const widestValue = 40

const settingsTable = (settings: ReadonlyArray<ReportedSetting>): ReadonlyArray<string> =>
  indented(
    aligned(
      settings.map(({ key, source, text }) => [key, printable(text), printable(source)]),
      { widest: widestValue }
    )
  )

const secretLine = ({ characters, name }: MaskedValue): string =>
  `  ${name} = ${characters === 0 ? "(empty)" : `******** (${counted(characters, "character")})`}`

const envLines = (env: ReadonlyArray<MaskedValue>): ReadonlyArray<string> =>
  env.length === 0 ? [] : ["env, for the worker", ...env.map(secretLine)]

const envFileLines = (report: ReportedWorker): ReadonlyArray<string> => {
  const variables = report.env_file_variables
  return [
    `Env file ${printable(report.env_file)}${variables.length === 0 ? " (sets nothing)" : ""}`,
    ...variables.map(secretLine)
  ]
}

/** A missing worker is explained by the error of `config check`. */
const workerLines = ({ worker_command: command }: ReportedWorker): ReadonlyArray<string> =>
  command === null
    ? ["No worker"]
    : [`Worker (${printable(command.source)})`, `  ${shellLine(command.argv, Number.POSITIVE_INFINITY)}`]

const spaced = (block: ReadonlyArray<string>): ReadonlyArray<string> =>
  block.length === 0 ? [] : ["", ...block]

const indented = (block: ReadonlyArray<string>): ReadonlyArray<string> => block.map((line) => `  ${line}`)

/** A project that is not shown in full. An env file that both projects use is shown only once. */
const section = (project: ProjectSettingsReport, shown: SettingsReport): ReadonlyArray<string> => [
  "",
  `Project ${project.project}`,
  ...settingsTable(project.overrides),
  ...indented(envLines(project.env)),
  ...(project.env_file === shown.env_file ? [] : indented(envFileLines(project))),
  ...indented(workerLines(project))
]

/**
 * The report as aligned text, one line per setting. The differences of the other projects follow, unless one is shown
 * `alone`.
 */
export const renderReport = (report: SettingsReport, { alone = false } = {}): string => {
  const file = report.settings_file_found ? "" : " (does not exist: the defaults hold)"
  const others = alone ? [] : report.projects.filter(({ project }) => project !== report.project)
  const warnings = [...new Set([...report.warnings, ...others.flatMap((project) => project.warnings)])]
  return [
    `Settings file ${printable(report.settings_file)}${file}`,
    ...(report.projects.length === 1 ? [] : [`Project ${report.project}`]),
    ...settingsTable(report.settings),
    ...spaced(envLines(report.env)),
    ...spaced(envFileLines(report)),
    ...spaced(workerLines(report)),
    ...others.flatMap((project) => section(project, report)),
    ...spaced(warnings.map((text) => `Warning: ${printable(text)}`))
  ].join("\n")
}
