import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { dialogues } from "../../Domain/cli/Dialogues.ts"
import type { TalkingVerb } from "../../Domain/cli/QuickVerbs.ts"
import { type Ran, runQuickly } from "./QuickRun.ts"

/** Runs a command that only talks to the daemon, in a bundle of its own. */
export const run = (invocation: Invocation, verb: TalkingVerb): Promise<Ran> =>
  runQuickly(invocation, { dialogueOf: dialogues[verb] })
