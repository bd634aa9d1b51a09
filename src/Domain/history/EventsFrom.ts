import { type HistoryRecord, RecordHead } from "./HistoryRecord.ts"

/** The place of one event among all: the run of the daemon, and its number there. */
export const EventCursor = RecordHead.pick("daemon", "seq")
export type EventCursor = typeof EventCursor.Type

/**
 * The first `limit` records from a cursor on, those of later runs of the daemon included. The event at the cursor need not
 * exist: a reader that has seen the last event of a run asks for the one after it. Without any record of that run there are
 * none: nothing says whether the others are older or younger.
 */
export const eventsFrom = (
  records: ReadonlyArray<HistoryRecord>,
  { daemon, seq }: EventCursor,
  limit: number
): ReadonlyArray<HistoryRecord> => {
  const before = records.findLastIndex((record) => record.daemon === daemon && record.seq < seq)
  const first = before === -1 ? records.findIndex((record) => record.daemon === daemon) : before + 1
  return first === -1 ? [] : records.slice(first, first + limit)
}
