import { aboutDaemon, aboutMachine } from "../settings/Setting.ts"
import {
  appliedAtStart,
  defaultOf,
  notInherited,
  readableAmount,
  settingNotes,
  workerArguments
} from "../settings/SettingKeys.ts"
import { settingVariables } from "../settings/SettingsEnvironment.ts"
import { anchorOf, generatedNote, spans } from "../text/Markdown.ts"
import type { FieldNote } from "../toml/Form.ts"
import { descriptionOf, projectsKey, settingKeys } from "./SettingReference.ts"

const introduction: ReadonlyArray<string> = [
  "The settings file is `~/.autopilot/daemon.toml`, or the file of `--config`. Every setting is optional. The command line overrides the environment, the environment overrides the file, and the file overrides the default. The daemon refuses a file with an unknown key, a wrong type or values that contradict each other, and names the line.",
  "`autopilotd config check` shows every value in force and its source. `autopilotd config schema` prints a JSON Schema, with which editors complete and check the file; `schema/daemon.schema.json` is the same text. A new file from `autopilotd config edit` names it in its first line.",
  "Unless the entry of a setting says otherwise:",
  "- **Scope**: each project. A project inherits the value of the top level, and its `[projects.NAME]` may override it.\n- **Applies**: at once, on `autopilotd reload`. Where an entry says *at the next start of the worker*, a running worker keeps the old value; `autopilotd reload --restart` restarts it. A setting that the command line or the environment of the daemon also sets changes only with a restart of the daemon."
]

const tableOf = (key: string): string => key.split(".").slice(0, -1).join(".")

const scopeOf = (key: string, reason: FieldNote["topLevelOnly"]): string | undefined => {
  if (reason === aboutMachine) return "the whole machine; top level only"
  if (reason === aboutDaemon) return "the whole daemon; top level only"
  if (reason !== undefined) return "top level only; the header of a project's table names the project"
  return notInherited.includes(key) ? "each project, not inherited" : undefined
}

const appliesOf = (key: string): string | undefined => {
  if (workerArguments.includes(key)) return "at the next start of the worker (Claude, Cargo or Binary)"
  return appliedAtStart.some((name) => name === key || key.startsWith(`${name}.`))
    ? "at the next start of the worker"
    : undefined
}

const line = (name: string, text: string | undefined): ReadonlyArray<string> =>
  text === undefined ? [] : [`- ${name}: ${text}`]

const defaultText = (key: string, byDefault: string): string => {
  const value = defaultOf(key)
  const amount = readableAmount(key, value)
  return value === undefined
    ? spans(byDefault)
    : `\`${byDefault}\`${amount === undefined ? "" : ` (${amount})`}`
}

const settingSection = (key: string, byDefault: string, note: FieldNote): string => {
  const variable = settingVariables.find(({ path }) => path.join(".") === key)
  return [
    `### ${key}`,
    "",
    spans(descriptionOf(key) ?? ""),
    "",
    ...line("Default", defaultText(key, byDefault)),
    ...line("Value", spans(note.expects)),
    ...line("Scope", scopeOf(key, note.topLevelOnly)),
    ...line("Applies", appliesOf(key)),
    ...line("Environment", variable && `\`${variable.name}\``)
  ].join("\n")
}

const tableTitle = (name: string): string => (name === "" ? "Top level" : `[${name}]`)

const tableSection = (table: string): ReadonlyArray<string> => [
  `## ${tableTitle(table)}`,
  spans(descriptionOf(table) ?? "Settings of the daemon and of its first project."),
  ...settingKeys().flatMap(({ default: byDefault, key }) => {
    const note = settingNotes.get(key)
    return note === undefined || tableOf(key) !== table ? [] : [settingSection(key, byDefault, note)]
  })
]

/** docs/settings.md: the reference of daemon.toml in Markdown. */
export const settingsPage = (): string => {
  const tables = [...new Set([...settingNotes.keys()].map(tableOf))]
  const titles = [...tables, projectsKey.key].map(tableTitle)
  return `${[
    "# Settings",
    generatedNote,
    ...introduction,
    titles.map((title) => `- [${title.replaceAll(/[[\]]/g, "")}](#${anchorOf(title)})`).join("\n"),
    ...tables.flatMap(tableSection),
    `## ${tableTitle(projectsKey.key)}`,
    `${spans(projectsKey.description)} It takes every setting that is not *top level only*. \`worker_command\` is inherited as a whole, other tables key by key.`
  ].join("\n\n")}\n`
}
