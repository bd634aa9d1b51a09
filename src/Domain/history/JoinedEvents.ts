import { humanDuration } from "../text/Amounts.ts"
import { projectOf } from "./DaemonEvent.ts"
import type { HistoryRecord } from "./HistoryRecord.ts"

/** An event, and those that only say what came of it: one row of a table. */
export interface JoinedEvents {
  readonly head: HistoryRecord
  readonly rest: ReadonlyArray<HistoryRecord>
}

/** The end of a run, or a start that has failed. */
const isEnd = ({ _tag }: HistoryRecord): boolean => _tag === "WorkerEnded" || _tag === "WorkerNotStarted"

/** Whether an event says what came of the end of a run. */
const completes = (record: HistoryRecord, { rest }: JoinedEvents): boolean => {
  switch (record._tag) {
    case "BackingOff":
    case "GaveUp":
    case "WorkerStopped":
      return true
    // A start by a user is an event of its own.
    case "WorkerStarted":
      return rest.at(-1)?._tag === "BackingOff"
    default:
      return false
  }
}

/**
 * Joins the end of a run with what came of it, so that a crash is one row: its exit, its verdict, and the restart. The
 * records are the oldest first, and so are the rows.
 */
export const joinedEvents = (records: ReadonlyArray<HistoryRecord>): ReadonlyArray<JoinedEvents> => {
  const rows: Array<JoinedEvents | undefined> = []
  /** The row of the last end of each run of a daemon's project. */
  const open = new Map<string, number>()
  for (const record of records) {
    const key = `${record.daemon} ${projectOf(record)}`
    const at = open.get(key)
    const row = at === undefined ? undefined : rows[at]
    if (isEnd(record)) {
      // The exit is told before its verdict, and a last failed start after the decision to give up.
      const before = row?.head._tag === "WorkerExited" || row?.head._tag === "GaveUp" ? row : undefined
      if (before !== undefined && at !== undefined) rows[at] = undefined
      open.set(key, rows.length)
      rows.push({ head: record, rest: before?.head._tag === "GaveUp" ? [before.head] : [] })
    } else if (row !== undefined && at !== undefined && isEnd(row.head) && completes(record, row)) {
      rows[at] = { ...row, rest: [...row.rest, record] }
      if (record._tag === "WorkerStarted") open.delete(key)
    } else {
      if (record._tag === "WorkerExited" || record._tag === "GaveUp") open.set(key, rows.length)
      else if (record._tag === "WorkerStarted") open.delete(key)
      rows.push({ head: record, rest: [] })
    }
  }
  return rows.filter((row) => row !== undefined)
}

/** What came of the end of a run, in a few words: `restarted after 2 seconds, pid 7`. */
export const sequelOf = ({ head, rest }: JoinedEvents): ReadonlyArray<string> =>
  rest.flatMap((record, at): ReadonlyArray<string> => {
    switch (record._tag) {
      case "BackingOff": {
        const next = rest[at + 1]
        const delay = humanDuration(record.delayMs)
        return [
          next?._tag === "WorkerStarted"
            ? `restarted after ${delay}, pid ${next.pid}`
            : `next start in ${delay}`
        ]
      }
      case "GaveUp":
        return [`gave up after ${record.failures} failures in a row`]
      case "WorkerStopped": {
        const isTold =
          head._tag === "WorkerEnded" &&
          (head.verdict.kind === "done" || head.verdict.kind === "killed-by-us")
        return isTold || rest.some(({ _tag }) => _tag === "GaveUp") ? [] : [`stopped: ${record.reason}`]
      }
      default:
        return []
    }
  })
