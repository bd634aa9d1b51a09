import { type Group, type Verb, verbs } from "./CommandTable.ts"
import { lookingTexts } from "./LookingTexts.ts"
import { runningTexts } from "./RunningTexts.ts"
import { setupTexts } from "./SetupTexts.ts"

/** What users read about a command. */
export interface CommandTexts {
  /** One imperative sentence without its full stop. */
  readonly summary: string
  /** Behaviour beyond the summary, in whole sentences. */
  readonly details: string
  readonly examples: ReadonlyArray<string>
}

/** The commands by their purpose, as help shows them. */
const groupsByPurpose = [
  ["Start and stop", runningTexts],
  ["Look", lookingTexts],
  ["Set up", setupTexts]
] as const

/** The titles of the groups of commands, each with its commands in the order of the table. */
export const commandGroups: ReadonlyArray<readonly [title: string, commands: ReadonlyArray<Verb>]> =
  groupsByPurpose.map(([title, rows]) => [title, verbs.filter((verb) => Object.hasOwn(rows, verb))])

/** The commands that a user needs first, in the order in which they are needed. */
export const firstCommands: ReadonlyArray<Verb> = [
  "init",
  "start",
  "run",
  "status",
  "projects",
  "logs",
  "why",
  "restart-worker",
  "stop",
  "doctor"
]

const texts: Readonly<Record<Verb, CommandTexts>> = { ...runningTexts, ...lookingTexts, ...setupTexts }

export const textsOf = (verb: Verb): CommandTexts => texts[verb]

/** The summary of each group of commands. */
export const groupTexts: Readonly<Record<Group, string>> = {
  budget: "Show what agents have spent, and begin from zero",
  fleet: "Look at the daemons of several machines",
  notify: "Test and list the channels of notifications",
  config: "Show, check and change the settings"
}
