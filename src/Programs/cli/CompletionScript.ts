import { argumentRow } from "../../Domain/cli/ArgumentTable.ts"
import type { Shell } from "../../Domain/cli/CommandLine.ts"
import {
  aliasesOf,
  argumentsOf,
  commandRow,
  groups,
  type Verb,
  verbs
} from "../../Domain/cli/CommandTable.ts"
import { groupTexts, textsOf } from "../../Domain/cli/CommandTexts.ts"
import { globalOptions, type OptionRow, optionTable, questionTable } from "../../Domain/cli/OptionTable.ts"
import { descriptionOf } from "../../Domain/config/SettingReference.ts"
import { settingNotes, settingValues } from "../../Domain/settings/SettingKeys.ts"
import { bashScript } from "./BashScript.ts"
import { fishScript } from "./FishScript.ts"
import { zshScript } from "./ZshScript.ts"

/** A word that a shell offers, and what it means. */
export type Offer = readonly [word: string, meaning: string]

/** The words in the place of a value: fixed ones, or those that only the machine knows. */
export type Offers = ReadonlyArray<Offer> | "projects" | "hosts" | "folders" | "files"

/** What may stand behind a command. */
interface CompletedCommand {
  /** Its name and its other names, each with all of its words. */
  readonly labels: ReadonlyArray<string>
  readonly options: ReadonlyArray<Offer>
  /** The words of its arguments in their order. */
  readonly args: ReadonlyArray<Offers | "values">
  /** The last argument may stand several times. */
  readonly isOpen: boolean
}

/** All that a completion script knows. */
export interface Completion {
  readonly commands: ReadonlyArray<CompletedCommand>
  /** The words that follow the name of the program, and the first word of a command of two words. */
  readonly words: ReadonlyArray<readonly [before: string, offers: ReadonlyArray<Offer>]>
  /** Options with a value: their names and the words in its place. */
  readonly values: ReadonlyArray<readonly [names: ReadonlyArray<string>, offers: Offers]>
  /** The words in the place of a setting's value, by its key. */
  readonly settings: ReadonlyArray<readonly [key: string, words: ReadonlyArray<string>]>
}

const shells: ReadonlyArray<Offer> = [
  ["bash", ""],
  ["zsh", ""],
  ["fish", ""]
]

const namesOf = ({ alias, long, short }: OptionRow): ReadonlyArray<string> => [
  `--${long}`,
  ...(alias === undefined ? [] : [`--${alias}`]),
  ...(short === undefined ? [] : [`-${short}`])
]

const offerOf = ({ long, summary }: OptionRow): Offer => [`--${long}`, summary]

const settings: ReadonlyArray<Offer> = [...settingNotes.keys()].map((key) => [key, descriptionOf(key) ?? ""])

const valuesOf = (row: OptionRow): Offers => {
  if (row === optionTable.project) return "projects"
  if (row === questionTable.completions) return shells
  const completes = row._tag === "Valued" ? row.value.completes : undefined
  if (completes === "directory") return "folders"
  if (completes === "host") return "hosts"
  return completes === "file" ? "files" : []
}

const argsOf = (verb: Verb): CompletedCommand["args"] =>
  argumentsOf(verb).map((key) => {
    if (key === "value") return "values"
    return argumentRow(key).value.completes === "setting" ? settings : "projects"
  })

const completion = (): Completion => {
  const rows: ReadonlyArray<OptionRow> = [...Object.values(optionTable), ...Object.values(questionTable)]
  const first: ReadonlyArray<Offer> = [
    ...verbs
      .filter((verb) => !verb.includes(" "))
      .flatMap((verb) => [verb, ...aliasesOf(verb)].map((name): Offer => [name, textsOf(verb).summary])),
    ...groups.map((group): Offer => [group, groupTexts[group]]),
    ["help", questionTable.help.summary],
    ["version", questionTable.version.summary],
    ["completions", questionTable.completions.summary]
  ]
  return {
    commands: verbs.map((verb) => ({
      labels: [verb, ...aliasesOf(verb)],
      options: [
        ...[...commandRow(verb).options, ...globalOptions].map((key) => offerOf(optionTable[key])),
        offerOf(questionTable.help)
      ],
      args: argsOf(verb),
      isOpen: argumentsOf(verb).some((key) => argumentRow(key)._tag === "Several")
    })),
    words: [
      ["", first],
      ["help", first],
      ...groups.map((group): readonly [string, ReadonlyArray<Offer>] => [
        group,
        verbs
          .filter((verb) => verb.startsWith(`${group} `))
          .map((verb): Offer => [verb.slice(group.length + 1), textsOf(verb).summary])
      ])
    ],
    values: [
      ...rows
        .filter(({ _tag }) => _tag === "Valued")
        .map((row): readonly [ReadonlyArray<string>, Offers] => [namesOf(row), valuesOf(row)]),
      [["completions"], shells]
    ],
    settings: [...settingValues()]
  }
}

/**
 * The completion script of a shell, ending in a newline. It is static, so that a shell that starts runs no program: the
 * names of projects are those of the state files when a key is pressed.
 */
export const completionScript = (shell: Shell): string => {
  switch (shell) {
    case "zsh":
      return zshScript(completion())
    case "fish":
      return fishScript(completion())
    case "bash":
    case "sh":
      return bashScript(completion())
  }
}
