import { historyDialogues } from "../../Domain/cli/HistoryDialogues.ts"
import { type RecordShapes, recordReader } from "../../Domain/history/RecordLine.ts"
import { historyBelow } from "../../Layers/daemon/HomeFolder.ts"
import { searchHistory } from "../../Layers/history/HistorySearch.ts"
import type { HistoryRoad } from "../cli/QuickRun.ts"

/** The build makes it from the schemas of the events. */
declare const AUTOPILOTD_RECORD_SHAPES: RecordShapes

/** What the quick road loads for the commands that read the history, as a bundle of its own. */
export const road: HistoryRoad = {
  dialogues: historyDialogues,
  read: (root, query) => searchHistory(historyBelow(root), query, recordReader(AUTOPILOTD_RECORD_SHAPES))
}
