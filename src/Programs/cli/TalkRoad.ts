import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { otherDialogues } from "../../Domain/cli/Dialogues.ts"
import type { TalkingVerb } from "../../Domain/cli/QuickVerbs.ts"
import { type Ran, runQuickly } from "./QuickRun.ts"

/** Runs a command that only talks to the daemon, but for `status`, in a bundle of its own. */
export const run = (invocation: Invocation, verb: Exclude<TalkingVerb, "status">): Promise<Ran> =>
  runQuickly(invocation, { dialogueOf: otherDialogues[verb] })
