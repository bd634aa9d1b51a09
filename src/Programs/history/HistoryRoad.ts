import { historyDialogues } from "../../Domain/cli/HistoryDialogues.ts"
import { type RecordShapes, recordReader } from "../../Domain/history/RecordLine.ts"
import { historyBelow } from "../../Layers/daemon/HomeFolder.ts"
import { searchHistory } from "../../Layers/history/HistorySearch.ts"
import type { HistoryRoad } from "../cli/QuickRun.ts"

/** The build makes it from the schemas of the events, as JSON. */
declare const AUTOPILOTD_RECORD_SHAPES: string

/** What the quick road loads for the commands that read the history, as a bundle of its own. */
export const road: HistoryRoad = {
  dialogues: historyDialogues,
  read: (root, query) => {
    const shapes: RecordShapes = JSON.parse(AUTOPILOTD_RECORD_SHAPES)
    return searchHistory(historyBelow(root), query, recordReader(shapes))
  }
}
