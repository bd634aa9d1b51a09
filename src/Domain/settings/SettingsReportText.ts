import { counted } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import { shellLine } from "../text/ShellLine.ts"
import { aligned } from "../text/Table.ts"
import type {
  MaskedValue,
  ProjectSettingsReport,
  ReportedSetting,
  ReportedWorker,
  SettingsReport
} from "./SettingsReport.ts"

/** A longer value has its source on the line below, so that it does not push the column out of sight. */
const widestValue = 40

const settingsTable = (settings: ReadonlyArray<ReportedSetting>): ReadonlyArray<string> =>
  indented(
    aligned(
      settings.map(({ key, source, text }) => [key, printable(text), printable(source)]),
      { widest: widestValue }
    )
  )

const secretLine = ({ characters, name }: MaskedValue): string => {
  return `  ${name} = ${characters === 0 ? "(empty)" : `******** (${counted(characters, "character")})`}`
}

const envLines = (env: ReadonlyArray<MaskedValue>): ReadonlyArray<string> =>
  env.length === 0 ? [] : ["env, for the worker", ...env.map(secretLine)]

const envFileLines = (report: ReportedWorker): ReadonlyArray<string> => {
  const variables = report.env_file_variables
  return [
    `Env file ${printable(report.env_file)}${variables.length === 0 ? " (sets nothing)" : ""}`,
    ...variables.map(secretLine)
  ]
}

/** Why there is none is the error that a start ends with. */
const workerLines = ({ worker_command: command }: ReportedWorker): ReadonlyArray<string> =>
  command === null
    ? ["No worker"]
    : [`Worker (${printable(command.source)})`, `  ${shellLine(command.argv, Number.POSITIVE_INFINITY)}`]

const spaced = (block: ReadonlyArray<string>): ReadonlyArray<string> =>
  block.length === 0 ? [] : ["", ...block]

const indented = (block: ReadonlyArray<string>): ReadonlyArray<string> => block.map((line) => `  ${line}`)

/** A project beside the one that is shown in full; an env file that both have is shown there. */
const section = (project: ProjectSettingsReport, shown: SettingsReport): ReadonlyArray<string> => [
  "",
  `Project ${project.project}`,
  ...settingsTable(project.overrides),
  ...indented(envLines(project.env)),
  ...(project.env_file === shown.env_file ? [] : indented(envFileLines(project))),
  ...indented(workerLines(project))
]

/**
 * The report for people, aligned, one line per setting. After all about one project come the others, each with what it
 * has of its own, unless that one is shown `alone`.
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
