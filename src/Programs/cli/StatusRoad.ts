import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { status } from "../../Domain/cli/Dialogues.ts"
import { type Ran, runQuickly } from "./QuickRun.ts"

/** Runs `status` in a bundle of its own. */
export const run = (invocation: Invocation): Promise<Ran> => runQuickly(invocation, { dialogueOf: status })
