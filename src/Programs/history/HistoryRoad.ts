import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { historyDialogues } from "../../Domain/cli/HistoryDialogues.ts"
import type { ReadingVerb } from "../../Domain/cli/QuickVerbs.ts"
import { historyBelow } from "../../Layers/daemon/HomeFolder.ts"
import { searchHistory } from "../../Layers/history/HistorySearch.ts"
import { processZone } from "../../Layers/machine/ProcessZone.ts"
import { type Ran, runQuickly } from "../cli/QuickRun.ts"

/** Runs a command that reads the history, in a bundle of its own: events have more words than all other quick commands. */
export const run = (invocation: Invocation, verb: ReadingVerb): Promise<Ran> =>
  runQuickly(invocation, {
    dialogueOf: (asked, surroundings) => {
      const zone = processZone()
      // Only the whole program asks the C library for a zone.
      return zone && historyDialogues[verb](asked, { ...surroundings, zone })
    },
    read: (root, query) => searchHistory(historyBelow(root), query)
  })
