import { settingVariables, workerBinaryVariable } from "../settings/SettingsEnvironment.ts"
import { listed } from "../text/TextLayout.ts"
import { argumentRow } from "./ArgumentTable.ts"
import { aliasesOf, argumentsOf, commandRow, requiredArguments, type Verb } from "./CommandTable.ts"
import { textsOf } from "./CommandTexts.ts"
import { exitCodes } from "./ExitCodes.ts"
import { hostVariable } from "./HostChoice.ts"
import {
  globalOptions,
  type OptionKey,
  type OptionRow,
  optionKeys,
  optionTable,
  questionTable
} from "./OptionTable.ts"

/** A name and its meaning, as help, man page and docs/commands.md list them. */
export type Entry = readonly [name: string, meaning: string]

export const purpose =
  "autopilotd keeps AI coding agents working: it starts an agent, watches it and the machine's memory, restarts it after a failure, and always says why."

export const generalUsage = "autopilotd [COMMAND] [NAME...] [OPTIONS] [-- COMMAND [ARG...]]"

export const optionRules = [
  "A command acts on the project that it names, as in autopilotd status shop or autopilotd status --project shop, and without a name on the selected one; autopilotd switch selects another.",
  "Options may stand before or after the command. A default applies when neither the command line, nor the environment, nor the settings file sets a value.",
  "Every command takes --host HOST, and then runs on that machine with the autopilotd there, as if it were typed there: docs/remote.md of the installation describes it. Paths on the command line are those of that machine. --host local is this one, also with AUTOPILOTD_HOST set.",
  "autopilotd --help shows the commands that matter first, autopilotd help --all every command, option, variable, file and exit code.",
  "With --json the answer is one JSON object, also when the command fails: success, message, the code of an error, and data. docs/json.md of the installation describes the data of each command, and the codes with their exit codes."
] as const

export const generalExamples: ReadonlyArray<string> = [
  "autopilotd --workdir ~/code/shop --project shop",
  "autopilotd start --detach -- claude -p 'Fix the failing tests'",
  "autopilotd status",
  "autopilotd logs shop -f"
]

/** Where each shell looks for a completion script. */
export const completionEntries: ReadonlyArray<Entry> = [
  [
    "autopilotd completions bash > ~/.local/share/bash-completion/completions/autopilotd",
    "With the package bash-completion; without it, source the file in ~/.bashrc"
  ],
  ["autopilotd completions zsh > ~/.zfunc/_autopilotd", "With fpath+=~/.zfunc before compinit in ~/.zshrc"],
  ["autopilotd completions fish > ~/.config/fish/completions/autopilotd.fish", "fish finds it by itself"]
]

export const completionRule =
  "Completions are written to a file once, and again after an upgrade. They complete commands, options, settings with their values, and the names of projects and hosts."

/** The environment variables that autopilotd reads. The command line overrides them. */
export const environmentEntries: ReadonlyArray<Entry> = [
  ["AUTOPILOT_HOME", "Folder of its files (default: ~/.autopilot)"],
  [hostVariable, "Host of each command that has no --host"],
  [workerBinaryVariable, "Worker, if nothing else names one"],
  ...settingVariables.map(({ name, path }): Entry => [name, `Setting ${path.join(".")}`]),
  ["VISUAL, EDITOR", "Editor of config edit (default: vi)"],
  ["NO_COLOR", "Disables colour when set and not empty"],
  ["FORCE_COLOR, CLICOLOR_FORCE", "Colour also in a pipe, unless 0 or NO_COLOR"]
]

/** The files of a user, relative to AUTOPILOT_HOME. */
export const fileEntries: ReadonlyArray<Entry> = [
  ["daemon.toml", "Settings, all optional"],
  ["hosts.toml", "Machines for --host"],
  ["env", "Environment of the workers, read before each start"],
  ["history.jsonl", "Past events, one JSON object per line"],
  ["logs/", "Logs of the daemon and of each project's worker"]
]

export const exitCodeEntries: ReadonlyArray<Entry> = [
  [String(exitCodes.done), "Success"],
  [String(exitCodes.failed), "Failure; the message says why and what to do"],
  [String(exitCodes.usage), "Invalid command line"],
  [String(exitCodes.notRunning), "No daemon is running"],
  [String(exitCodes.workerFailed), "The worker has failed, which status shows"],
  [String(exitCodes.workerStopped), "The worker was stopped before its work was finished, as wait says"],
  [String(exitCodes.hostFailed), "The host of --host cannot be reached, or has no autopilotd"],
  [String(exitCodes.usageLimit), "A usage limit has ended the work (start --exit-when-finished)"],
  [String(exitCodes.login), "A login is needed (start --exit-when-finished)"],
  [String(exitCodes.settings), "Settings allow no start (start --exit-when-finished)"],
  [String(exitCodes.timeout), "--timeout of wait has passed"],
  [String(exitCodes.interrupted), "Interrupted by Ctrl-C"],
  [String(exitCodes.terminated), "SIGTERM came before the work was finished (start --exit-when-finished)"]
]

/** An option as a user types it, `-w, --workdir DIR`, and its meaning with the default. */
export const optionEntry = (row: OptionRow): Entry => {
  const short = row.short === undefined ? "" : `-${row.short}, `
  const also = row.alias === undefined ? "" : ` (also --${row.alias})`
  if (row._tag === "Flag") return [`${short}--${row.long}`, `${row.summary}${also}`]
  const fallback = row.fallback === undefined ? "" : ` (default: ${row.fallback})`
  return [`${short}--${row.long} ${row.placeholder}`, `${row.summary}${also}${fallback}`]
}

/** The options of every command. */
export const globalEntries: ReadonlyArray<Entry> = globalOptions.map((key) => optionEntry(optionTable[key]))

/** What stands in the place of a command. */
export const questionEntries: ReadonlyArray<Entry> = [
  ...Object.values(questionTable).map(optionEntry),
  ["--help --all", "Show all commands, options, files and exit codes"]
]

/** The options of a command in the order of the table, `--help` last. */
export const optionEntriesOf = (verb: Verb): ReadonlyArray<Entry> => [
  ...optionKeys
    .filter((key) => commandRow(verb).options.includes(key))
    .map((key) => optionEntry(optionTable[key])),
  optionEntry(questionTable.help)
]

export const argumentEntriesOf = (verb: Verb): ReadonlyArray<Entry> =>
  argumentsOf(verb).map((key) => [argumentRow(key).placeholder, argumentRow(key).summary])

/** A command with its arguments: `config set KEY VALUE`, `status [NAME...]`. */
export const commandWords = (verb: Verb): string =>
  [
    verb,
    ...argumentsOf(verb).map((key) => {
      const { _tag, placeholder } = argumentRow(key)
      const word = _tag === "Several" ? `${placeholder}...` : placeholder
      return requiredArguments(verb).includes(key) ? word : `[${word}]`
    })
  ].join(" ")

/** The synopsis of a command: `autopilotd config set KEY VALUE [OPTIONS]`. */
export const usageOf = (verb: Verb): string =>
  `autopilotd ${commandWords(verb)} [OPTIONS]${commandRow(verb).takesWorker ? " [-- COMMAND [ARG...]]" : ""}`

/** The description of a command in paragraphs. */
export const detailsOf = (verb: Verb): ReadonlyArray<string> => {
  const { details } = textsOf(verb)
  const { excludes, needs } = commandRow(verb)
  const aliases = aliasesOf(verb)
  const long = (key: OptionKey) => `--${optionTable[key].long}`
  return [
    details,
    ...(needs === undefined ? [] : [`${long(needs.option)} needs ${long(needs.other)}: ${needs.because}.`]),
    ...(excludes === undefined
      ? []
      : [`${long(excludes.other)} excludes ${listed(excludes.options.map(long))}: ${excludes.because}.`]),
    ...(aliases.length === 0 ? [] : [`Also: autopilotd ${listed(aliases, "or")}.`])
  ]
}
