import { settingVariables, workerBinaryVariable } from "../settings/SettingsEnvironment.ts"
import { definitions, paragraph } from "../text/TextLayout.ts"
import { listed } from "../text/Words.ts"
import { argumentRow } from "./ArgumentTable.ts"
import {
  argumentsOf,
  commandRow,
  type Group,
  groupTable,
  isGroup,
  nextWords,
  type Verb,
  verbs,
  verbsWith
} from "./CommandTable.ts"
import { type OptionKey, type OptionRow, optionKeys, optionTable, questionTable } from "./OptionTable.ts"

const purpose =
  "autopilotd keeps AI coding agents working: it starts an agent, watches it and the machine's memory, starts it again when it dies, and always says why."

const columnOfMeanings = 28

const columnOfVariables = 34

/** Environment variables a person may set. What the command line says wins over them. */
const environment: ReadonlyArray<readonly [string, string]> = [
  ["AUTOPILOT_HOME", "Folder of the daemon's own files (default: ~/.autopilot)"],
  [workerBinaryVariable, "Program that is the worker when neither command line nor settings name one"],
  ...settingVariables.map(({ name, path }) => [name, `Setting ${path.join(".")}`] as const),
  ["NO_COLOR", "Output without colour when set and not empty"]
]

const columnOfFiles = 18

const files: ReadonlyArray<readonly [string, string]> = [
  ["daemon.toml", "Settings, all of them optional"],
  ["env", "Environment of the worker; read before each of its starts"],
  ["history.jsonl", "What has happened, one JSON object a line"],
  ["logs/", "Log of the daemon and of each project's worker"]
]

const columnOfExitCodes = 6

const exitCodes: ReadonlyArray<readonly [string, string]> = [
  ["0", "Done"],
  ["1", "Failed; the message says why and what to do"],
  ["2", "The command line cannot be understood"],
  ["3", "No daemon is running"]
]

const optionEntry = (row: OptionRow): readonly [string, string] => {
  const short = row.short === undefined ? "    " : `-${row.short}, `
  const value = row._tag === "Valued" ? ` ${row.placeholder}` : ""
  const fallback = row._tag === "Valued" && row.fallback !== undefined ? ` (default: ${row.fallback})` : ""
  return [`${short}--${row.long}${value}`, `${row.summary}${fallback}`]
}

const section = (title: string, body: string): string => `${paragraph(`${title}:`)}\n${body}`
const table = (entries: ReadonlyArray<readonly [string, string]>): string =>
  definitions(entries, columnOfMeanings)
const options = (keys: ReadonlyArray<OptionKey>): string =>
  table(keys.map((key) => optionEntry(optionTable[key])))
/** A command with the words that follow it: `config set KEY VALUE`. */
const usage = (verb: Verb): string =>
  [verb, ...argumentsOf(verb).map((key) => argumentRow(key).placeholder)].join(" ")
const commands = (rows: ReadonlyArray<Verb>): string =>
  table(rows.map((verb) => [usage(verb), commandRow(verb).summary]))
/** An example is copied into a shell, so it is never wrapped. */
const examples = (lines: ReadonlyArray<string>): string => lines.map((line) => `  ${line}`).join("\n")

/** Whose options they are, in the fewest words. */
const ownersTitle = (owners: ReadonlyArray<Verb>): string => {
  const others = verbs.filter((verb) => !owners.includes(verb))
  if (others.length === 0) return "Options of every command"
  return others.length < owners.length
    ? `Options of every command but ${listed(others)}`
    : `Options of ${listed(owners)}`
}

/** The options in groups that belong to the same commands. */
const optionSections = (): ReadonlyArray<string> => {
  const groups = new Map<string, Array<OptionKey>>()
  for (const key of optionKeys) {
    const title = ownersTitle(verbsWith(key))
    groups.set(title, [...(groups.get(title) ?? []), key])
  }
  return [...groups].map(([title, keys]) => section(title, options(keys)))
}

const general = (): ReadonlyArray<string> => [
  paragraph(purpose),
  section("Usage", "  autopilotd [COMMAND] [OPTIONS] [-- WORKER ARGS...]"),
  section("Commands", commands(verbs)),
  ...optionSections(),
  section("Other options", table(Object.values(questionTable).map(optionEntry))),
  paragraph(
    "Without --project a command is about the project that is selected: autopilotd switch selects another."
  ),
  paragraph(
    "Options may stand before or after the command. The defaults shown apply when neither the command line, nor the environment, nor the settings file says otherwise."
  ),
  section(
    "Examples",
    examples([
      "autopilotd --workdir ~/code/shop --project shop",
      "autopilotd start --detach -- claude -p 'Fix the failing tests'",
      "autopilotd status",
      "source <(autopilotd --completions bash)"
    ])
  ),
  section("Environment", definitions(environment, columnOfVariables)),
  section("Files in AUTOPILOT_HOME", definitions(files, columnOfFiles)),
  section("Exit codes", definitions(exitCodes, columnOfExitCodes)),
  "Help of one command: autopilotd COMMAND --help"
]

const ofGroup = (group: Group): ReadonlyArray<string> => [
  paragraph(`${groupTable[group]}.`),
  section("Usage", `  autopilotd ${group} ${nextWords(group).join(" | ")} [OPTIONS]`),
  section("Commands", commands(verbs.filter((verb) => verb.startsWith(`${group} `)))),
  `Help of one command: autopilotd ${group} COMMAND --help`
]

const ofCommand = (verb: Verb): ReadonlyArray<string> => {
  const row = commandRow(verb)
  return [
    paragraph(`${row.summary}.`),
    section("Usage", `  autopilotd ${usage(verb)} [OPTIONS]${row.takesWorker ? " [-- WORKER ARGS...]" : ""}`),
    paragraph(row.details),
    ...(row.needs === undefined
      ? []
      : [
          paragraph(
            `--${optionTable[row.needs.option].long} needs --${optionTable[row.needs.other].long}: ${row.needs.because}.`
          )
        ]),
    ...(argumentsOf(verb).length === 0
      ? []
      : [
          section(
            argumentsOf(verb).length === 1 ? "Argument" : "Arguments",
            table(
              argumentsOf(verb).map(
                (key) => [argumentRow(key).placeholder, argumentRow(key).summary] as const
              )
            )
          )
        ]),
    section(
      "Options",
      `${options(optionKeys.filter((key) => row.options.includes(key)))}\n${table([optionEntry(questionTable.help)])}`
    ),
    section(row.examples.length === 1 ? "Example" : "Examples", examples(row.examples)),
    "All commands, files and exit codes: autopilotd --help"
  ]
}

/**
 * The help of a command or group of commands, or the general one: plain text of at most 80 columns that ends in a
 * newline.
 */
export const helpText = (topic?: Verb | Group): string => {
  const sections = topic === undefined ? general() : isGroup(topic) ? ofGroup(topic) : ofCommand(topic)
  return `${sections.join("\n\n")}\n`
}
