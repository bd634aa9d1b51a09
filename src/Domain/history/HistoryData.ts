import type * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import { midnightBefore } from "../text/LocalTime.ts"
import { Count, perhaps } from "../Wire.ts"
import { describeEvent } from "./DaemonEvent.ts"
import { type EventCursor, eventsFrom } from "./EventsFrom.ts"
import { type HistoryRecord, RecordHead } from "./HistoryRecord.ts"
import { restartsByDay, restartsIn } from "./Restarts.ts"

/** A record with its text, and all fields of its event. */
const HistoryRow = Schema.Struct(
  {
    ...RecordHead.fields,
    _tag: Schema.String,
    level: Schema.Literal("info", "warning", "error"),
    /** The event in one sentence. */
    text: Schema.String,
    /** The whole event, two of whose fields `level` and `text` may hide; only in an answer to `from`. */
    event: perhaps(Schema.Unknown)
  },
  Schema.Record({ key: Schema.String, value: Schema.Unknown })
)
type HistoryRow = typeof HistoryRow.Type

/** The answer to the request History. */
export const HistoryData = Schema.Struct({
  /** The oldest first. */
  records: Schema.Array(HistoryRow),
  /** The restarts of the last seven days including today, the newest day first. */
  restarts: Schema.Array(
    Schema.Struct({
      day: Schema.String,
      project: Schema.String,
      restarts: Count,
      causes: Schema.Array(Schema.Struct({ cause: Schema.String, restarts: Count }))
    })
  ),
  /** Unreadable lines of the history. */
  damaged_lines: Count
})
export type HistoryData = typeof HistoryData.Type

export interface HistoryQuestion {
  /** The oldest time, in milliseconds since 1970. */
  readonly sinceMs: number | undefined
  /** The newest time, in milliseconds since 1970. */
  readonly untilMs?: number | undefined
  /** The greatest number of records; the newest are kept ... */
  readonly limit: number
  /** ... or the oldest from this one on. */
  readonly from?: EventCursor | undefined
}

/** The limit of one answer of the daemon; the command reads the file itself. */
export const maxHistoryEvents = 1000

/** The number of records in an answer without a limit. */
export const defaultHistoryEvents = 100

const dayMs = 86_400_000

/** The midnight from which restarts count. */
const weekBefore = (nowMs: number, zone: DateTime.TimeZone): number => midnightBefore(nowMs - 6 * dayMs, zone)

/** The records needed to answer a question: all since `sinceMs`, and at least `atLeast`. */
export const needed = (
  { from, limit, sinceMs, untilMs }: HistoryQuestion,
  nowMs: number,
  zone: DateTime.TimeZone
): { readonly sinceMs: number; readonly atLeast: number } => {
  // The time of that event is unknown.
  if (from !== undefined) return { sinceMs: 0, atLeast: 0 }
  // Those after `untilMs` must not count, so all are read.
  if (sinceMs === undefined && untilMs !== undefined) return { sinceMs: 0, atLeast: 0 }
  return sinceMs === undefined
    ? { sinceMs: weekBefore(nowMs, zone), atLeast: limit }
    : { sinceMs: Math.min(sinceMs, weekBefore(nowMs, zone)), atLeast: 0 }
}

/** The records that answer a question. */
export const answering = (
  records: ReadonlyArray<HistoryRecord>,
  { limit, sinceMs = Number.NEGATIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY }: HistoryQuestion
): ReadonlyArray<HistoryRecord> => {
  const wanted = records.filter(({ at }) => at >= sinceMs && at <= untilMs)
  return limit === 0 ? [] : wanted.slice(-limit)
}

export const rowOf = (record: HistoryRecord): HistoryRow => ({ ...record, ...describeEvent(record) })

const wholeRowOf = (record: HistoryRecord): HistoryRow => {
  const { at: _at, daemon: _daemon, seq: _seq, ...event } = record
  return { ...rowOf(record), event }
}

/** `1 event`, `20 events`. */
export const eventCount = (count: number): string => `${count} event${count === 1 ? "" : "s"}`

/** The answer, from the records that `needed` selects. */
export const historyData = (
  { damaged, records }: { readonly records: ReadonlyArray<HistoryRecord>; readonly damaged: number },
  question: HistoryQuestion,
  nowMs: number,
  zone: DateTime.TimeZone
): HistoryData => ({
  records:
    question.from === undefined
      ? answering(records, question).map(rowOf)
      : eventsFrom(records, question.from, question.limit).map(wholeRowOf),
  restarts: restartsByDay(
    restartsIn(records).filter(({ at }) => at >= weekBefore(nowMs, zone)),
    zone
  ),
  damaged_lines: damaged
})
