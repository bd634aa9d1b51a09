import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { historyDialogues } from "../../Domain/cli/HistoryDialogues.ts"
import { runReading } from "../cli/DialogueRun.ts"

/** `autopilotd history`, where the quick road does not reach. */
export const history = (invocation: Invocation) => runReading(historyDialogues.history, invocation)
