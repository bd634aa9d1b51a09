import { anchorOf, codeBlock, generatedNote, markdownTable, spans } from "../text/Markdown.ts"
import { type Verb, verbs } from "./CommandTable.ts"
import { commandGroups, textsOf } from "./CommandTexts.ts"
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
  globalEntries,
  optionEntriesOf,
  optionRules,
  purpose,
  questionEntries,
  usageOf
} from "./Manual.ts"

const named = (heads: readonly [string, string], entries: ReadonlyArray<Entry>): string =>
  markdownTable(
    heads,
    entries.map(([name, meaning]) => [`\`${name}\``, spans(meaning)])
  )

const overview = ([title, members]: (typeof commandGroups)[number]): ReadonlyArray<string> => [
  `## ${title}`,
  markdownTable(
    ["Command", "Purpose"],
    members.map((verb) => [
      `[\`${commandWords(verb)}\`](#${anchorOf(`autopilotd ${verb}`)})`,
      spans(textsOf(verb).summary)
    ])
  )
]

const commandSection = (verb: Verb): ReadonlyArray<string> => {
  const args = argumentEntriesOf(verb)
  const { examples, summary } = textsOf(verb)
  return [
    `### autopilotd ${verb}`,
    spans(`${summary}.`),
    codeBlock("sh", [usageOf(verb)]),
    ...detailsOf(verb).map(spans),
    ...(args.length === 0 ? [] : [named(["Argument", "Meaning"], args)]),
    named(["Option", "Meaning"], optionEntriesOf(verb)),
    examples.length === 1 ? "Example:" : "Examples:",
    codeBlock("sh", examples)
  ]
}

/** docs/commands.md: the reference of the command line in Markdown. */
export const commandsPage = (): string =>
  [
    "# Commands",
    generatedNote,
    spans(purpose),
    codeBlock("sh", [generalUsage]),
    ...optionRules.map(spans),
    codeBlock("sh", generalExamples),
    ...commandGroups.flatMap(overview),
    "## Reference",
    ...verbs.flatMap(commandSection),
    "## Options of every command",
    named(["Option", "Meaning"], globalEntries),
    "## Options without a command",
    named(["Option", "Meaning"], questionEntries),
    "## Completions",
    spans(completionRule),
    named(["Command", "Meaning"], completionEntries),
    "## Exit codes",
    named(["Code", "Meaning"], exitCodeEntries),
    "## Environment variables",
    named(["Variable", "Meaning"], environmentEntries),
    "## Files",
    "Paths are relative to `AUTOPILOT_HOME`, by default `~/.autopilot`.",
    named(["File", "Content"], fileEntries)
  ].join("\n\n") + "\n"
