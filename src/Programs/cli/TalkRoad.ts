import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { dialogueOf } from "../../Domain/cli/Dialogues.ts"
import { type Ran, runQuickly } from "./QuickRun.ts"

/** Runs a command that only talks to the daemon, in a bundle of its own. */
export const run = (invocation: Invocation): Promise<Ran> =>
  runQuickly(invocation, {
    dialogueOf: (asked, surroundings) => dialogueOf(asked.verb)?.(asked, surroundings)
  })
