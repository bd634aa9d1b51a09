import type { Group, Verb } from "./CommandTable.ts"
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

const texts: Readonly<Record<Verb, CommandTexts>> = { ...runningTexts, ...lookingTexts, ...setupTexts }

export const textsOf = (verb: Verb): CommandTexts => texts[verb]

/** The summary of each group of commands. */
export const groupTexts: Readonly<Record<Group, string>> = {
  budget: "Show what agents have spent, and begin from zero",
  config: "Show, check and change the settings"
}
