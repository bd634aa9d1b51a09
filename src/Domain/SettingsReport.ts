import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { EffectiveSettings } from "./EffectiveSettings.ts"
import { humanBytes } from "./HumanBytes.ts"
import { humanDuration } from "./HumanDuration.ts"
import { printable } from "./Printable.ts"
import { type RawSettings, tomlText, valueAt } from "./RawSettings.ts"
import { settingNotes } from "./SettingKeys.ts"
import { Settings } from "./Settings.ts"
import { type Provenance, provenanceOf } from "./SettingsMerge.ts"
import { notInForce } from "./SettingsNotInForce.ts"
import { shellLine } from "./ShellLine.ts"

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

/** What `config check` tells, as it is printed with `--json`. No value of `env` or of the env file is in it. */
export interface SettingsReport {
  readonly settings_file: string
  readonly settings_file_found: boolean
  readonly settings: ReadonlyArray<ReportedSetting>
  readonly env: ReadonlyArray<MaskedValue>
  readonly worker_command: { readonly argv: ReadonlyArray<string>; readonly source: string } | null
  /** Why no worker can be started. */
  readonly worker_problem?: string
  readonly env_file: string
  readonly env_file_variables: ReadonlyArray<MaskedValue>
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

const whenUnset = (key: string, effective: EffectiveSettings): string => {
  const { thresholds } = effective
  if (key === "env_file") return tomlText(effective.envFile.path)
  if (thresholds !== undefined && key === "memory.min_available_bytes")
    return `${humanBytes(thresholds.minAvailableBytes)} (scaled to this machine)`
  if (thresholds !== undefined && key === "memory.critical_threshold_bytes")
    return `${humanBytes(thresholds.criticalBytes)} (scaled to this machine)`
  return settingNotes.get(key)?.unset ?? "none"
}

/** The settings in force, each with where it came from, and the names of the worker's secrets. */
export const settingsReport = (
  effective: EffectiveSettings,
  envFile: { readonly values: Readonly<Record<string, string>>; readonly warnings: ReadonlyArray<string> }
): SettingsReport => {
  const encoded: RawSettings = Schema.encodeSync(Settings)(effective.settings)
  const keys = [...settingNotes.keys()].filter((key) => key !== "env" && !key.startsWith("worker_command."))
  const { worker } = effective
  const idle = notInForce(effective.provenance)
  return {
    settings_file: effective.settingsFile.path,
    settings_file_found: effective.settingsFile.found,
    settings: keys.map((key) => {
      const value = valueAt(encoded, key.split("."))
      const source = provenanceOf(effective, key)
      return value === undefined
        ? { key, text: whenUnset(key, effective), source }
        : { key, value, text: withUnit(key, value), source }
    }),
    env: masked(effective.settings.env),
    worker_command: Either.isRight(worker) ? { argv: worker.right.argv, source: worker.right.source } : null,
    ...(Either.isLeft(worker) ? { worker_problem: worker.left.message } : {}),
    env_file: effective.envFile.path,
    env_file_variables: masked(envFile.values),
    warnings: [...envFile.warnings, ...(idle === undefined ? [] : [idle])]
  }
}

/** A longer value has its source on the line below, so that it does not push the column out of sight. */
const widestValue = 40

const table = (settings: ReadonlyArray<ReportedSetting>): ReadonlyArray<string> => {
  const rows = settings.map(({ key, source, text }) => ({
    key,
    source: printable(source),
    text: printable(text)
  }))
  const keyWidth = Math.max(...rows.map(({ key }) => key.length))
  const textWidth = Math.max(...rows.map(({ text }) => (text.length > widestValue ? 0 : text.length)))
  return rows.flatMap(({ key, source, text }) => {
    const head = `  ${key.padEnd(keyWidth)}  ${text.padEnd(textWidth)}`
    return text.length > textWidth
      ? [head, `${" ".repeat(keyWidth + textWidth + 6)}${source}`]
      : [`${head}  ${source}`]
  })
}

const secretLine = ({ characters, name }: MaskedValue): string => {
  const size = `${characters} character${characters === 1 ? "" : "s"}`
  return `  ${name} = ${characters === 0 ? "(empty)" : `******** (${size})`}`
}

/** The report for people, aligned, one line per setting. */
export const renderReport = (report: SettingsReport): string => {
  const file = report.settings_file_found ? "" : " (does not exist: the defaults hold)"
  const command = report.worker_command
  const problem = report.worker_problem
  const variables = report.env_file_variables
  return [
    `Settings file ${printable(report.settings_file)}${file}`,
    ...table(report.settings),
    ...(report.env.length === 0 ? [] : ["", "env, for the worker", ...report.env.map(secretLine)]),
    "",
    `Env file ${printable(report.env_file)}${variables.length === 0 ? " (sets nothing)" : ""}`,
    ...variables.map(secretLine),
    ...(command === null
      ? []
      : [
          "",
          `Worker (${printable(command.source)})`,
          `  ${shellLine(command.argv, Number.POSITIVE_INFINITY)}`
        ]),
    ...(problem === undefined ? [] : ["", problem]),
    ...(report.warnings.length === 0
      ? []
      : ["", ...report.warnings.map((text) => `Warning: ${printable(text)}`)])
  ].join("\n")
}
