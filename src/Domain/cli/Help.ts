import { definitions, listed, paragraph } from "../text/TextLayout.ts"
import { type Group, isGroup, nextWords, type Verb, verbs, verbsWith } from "./CommandTable.ts"
import { commandGroups, firstCommands, groupTexts, textsOf } from "./CommandTexts.ts"
import {
  argumentEntriesOf,
  commandWords,
  completionEntries,
  completionRule,
  detailsOf,
  type Entry,
  environmentEntries,
  exitCodeEntries,
  fileEntries,
  generalExamples,
  generalUsage,
  optionEntriesOf,
  optionEntry,
  optionRules,
  purpose,
  questionEntries,
  usageOf
} from "./Manual.ts"
import { type OptionKey, optionKeys, optionTable } from "./OptionTable.ts"

const section = (title: string, body: string): string => `${paragraph(`${title}:`)}\n${body}`
const table = (entries: ReadonlyArray<Entry>): string => definitions(entries, 28)
/** Long names stand in one column, below those that have a short name before them. */
const optionsTable = (entries: ReadonlyArray<Entry>): string =>
  table(entries.map(([name, meaning]) => [name.startsWith("--") ? `    ${name}` : name, meaning]))
const commands = (rows: ReadonlyArray<Verb>): string =>
  table(rows.map((verb) => [commandWords(verb), textsOf(verb).summary]))
/** Never wrapped: users copy an example into a shell. */
const examples = (lines: ReadonlyArray<string>): string => lines.map((line) => `  ${line}`).join("\n")

/** The shortest title that names the commands of some options. */
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
  for (const key of optionKeys.filter((one) => verbsWith(one).length > 0)) {
    const title = ownersTitle(verbsWith(key))
    groups.set(title, [...(groups.get(title) ?? []), key])
  }
  return [...groups].map(([title, keys]) =>
    section(title, optionsTable(keys.map((key) => optionEntry(optionTable[key]))))
  )
}

/** What fits on a screen of 80 columns and 24 lines. */
const short = (): ReadonlyArray<string> => [
  paragraph(purpose),
  "Usage: autopilotd COMMAND [NAME...] [OPTIONS] [-- COMMAND [ARG...]]",
  commands(firstCommands),
  commandGroups
    .map(([title, members]): Entry => {
      const others = members.filter((verb) => !firstCommands.includes(verb)).map((verb) => verb.split(" ")[0])
      return [`${title}:`, [...new Set(others)].join(", ")]
    })
    .concat([["Other:", "help, version, completions"]])
    .map((entry) => definitions([entry], 20))
    .join("\n"),
  "One command: autopilotd COMMAND --help. Everything: autopilotd help --all"
]

const general = (): ReadonlyArray<string> => [
  paragraph(purpose),
  section("Usage", `  ${generalUsage}`),
  ...commandGroups.map(([title, members]) => section(title, commands(members))),
  ...optionSections(),
  section("Other options", optionsTable(questionEntries)),
  ...optionRules.map((rule) => paragraph(rule)),
  section("Examples", examples(generalExamples)),
  section("Completions", `${paragraph(completionRule, 2)}\n${table(completionEntries)}`),
  section("Environment", definitions(environmentEntries, 34)),
  section("Files in AUTOPILOT_HOME", definitions(fileEntries, 18)),
  section("Exit codes", definitions(exitCodeEntries, 8)),
  "Help of one command: autopilotd COMMAND --help"
]

const ofGroup = (group: Group): ReadonlyArray<string> => [
  paragraph(`${groupTexts[group]}.`),
  section("Usage", `  autopilotd ${group} ${nextWords(group).join(" | ")} [OPTIONS]`),
  section("Commands", commands(verbs.filter((verb) => verb.startsWith(`${group} `)))),
  `Help of one command: autopilotd ${group} COMMAND --help`
]

const ofCommand = (verb: Verb): ReadonlyArray<string> => {
  const row = textsOf(verb)
  const args = argumentEntriesOf(verb)
  return [
    paragraph(`${row.summary}.`),
    section("Usage", `  ${usageOf(verb)}`),
    ...detailsOf(verb).map((text) => paragraph(text)),
    ...(args.length === 0 ? [] : [section(args.length === 1 ? "Argument" : "Arguments", table(args))]),
    section("Options", optionsTable(optionEntriesOf(verb))),
    section(row.examples.length === 1 ? "Example" : "Examples", examples(row.examples)),
    "All commands, files and exit codes: autopilotd help --all"
  ]
}

/**
 * The help of a command or group of commands, or the general help, short or with all that there is: plain text of at most 80 columns that ends in a
 * newline.
 */
export const helpText = (topic?: Verb | Group, isAll = false): string => {
  const sections =
    topic === undefined ? (isAll ? general() : short()) : isGroup(topic) ? ofGroup(topic) : ofCommand(topic)
  return `${sections.join("\n\n")}\n`
}
