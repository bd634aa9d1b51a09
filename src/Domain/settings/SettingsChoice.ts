import { counted } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import { shellLine } from "../text/ShellLine.ts"
import { aligned } from "../text/Table.ts"
import { tomlText } from "../toml/RawSettings.ts"
import type { ReportedSetting, SettingsReport } from "./SettingsReport.ts"

/** A setting of the report, or the worker's command or a variable of its environment. */
interface ChosenSetting extends Omit<ReportedSetting, "source"> {
  readonly source: string
}

/** All settings of the project that a report shows in full. A secret has its length instead of its value. */
const allSettings = (report: SettingsReport): ReadonlyArray<ChosenSetting> => {
  const command = report.worker_command
  return [
    ...report.settings,
    ...(command === null
      ? []
      : [
          {
            key: "worker_command",
            value: command.argv,
            text: shellLine(command.argv, Number.POSITIVE_INFINITY),
            source: command.source
          }
        ]),
    ...report.env.map(({ characters, name }) => ({
      key: `env.${name}`,
      text: characters === 0 ? "(empty)" : `******** (${counted(characters, "character")})`,
      source: "file"
    }))
  ]
}

/** The settings that have this key, or stand in the table of this name. */
export const chosenSettings = (report: SettingsReport, key: string): ReadonlyArray<ChosenSetting> =>
  allSettings(report).filter((one) => one.key === key || one.key.startsWith(`${key}.`))

/** The keys that `chosenSettings` knows. */
export const settingNames = (report: SettingsReport): ReadonlyArray<string> =>
  allSettings(report).map(({ key }) => key)

/** The value for a program: a text without quotes, everything else as TOML, and nothing for what is not set. */
const bare = ({ text, value }: ChosenSetting): string =>
  typeof value === "string" ? value : Array.isArray(value) ? text : value === undefined ? "" : tomlText(value)

/**
 * Formats settings, ending in a newline: with their sources for a person; for a program the value alone, or the lines of
 * a table.
 */
export const chosenText = (
  settings: ReadonlyArray<ChosenSetting>,
  key: string,
  isTerminal: boolean
): string => {
  if (isTerminal) {
    const rows = settings.map((one) => [one.key, printable(one.text), printable(one.source)])
    return `${aligned(rows, { widest: 40 }).join("\n")}\n`
  }
  const [first] = settings
  if (first?.key === key) return `${bare(first)}\n`
  return settings
    .filter(({ value }) => value !== undefined)
    .map((one) => `${one.key} = ${tomlText(one.value)}\n`)
    .join("")
}
