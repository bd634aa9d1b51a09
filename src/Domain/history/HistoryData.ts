import * as Schema from "effect/Schema"
import { midnightBefore, type Zone } from "../text/LocalTime.ts"
import { Count, field, perhaps } from "../Wire.ts"
import { describeEvent } from "./DaemonEvent.ts"
import { type EventCursor, eventsFrom } from "./EventsFrom.ts"
import { type HistoryRecord, RecordHead } from "./HistoryRecord.ts"
import { restartsByDay, restartsIn } from "./Restarts.ts"

/** A record with its text, and all fields of its event. */
export const HistoryRow = Schema.Struct(
  {
    ...RecordHead.fields,
    _tag: field(Schema.String, "The kind of the event: see [events](#events)"),
    level: field(Schema.Literal("info", "warning", "error"), "How much it matters"),
    text: field(Schema.String, "The event in one sentence"),
    event: perhaps(
      Schema.Unknown,
      "The whole event, two of whose fields `level` and `text` may hide; only in an answer of the control socket to `from`"
    )
  },
  Schema.Record({ key: Schema.String, value: Schema.Unknown })
)
type HistoryRow = typeof HistoryRow.Type

/** The answer to the request History. */
export const HistoryData = Schema.Struct({
  records: field(Schema.Array(HistoryRow), "The oldest first"),
  restarts: field(
    Schema.Array(
      Schema.Struct({
        day: field(Schema.String, "The day in the local time zone: `2026-11-29`"),
        project: field(Schema.String, "The project of the worker"),
        restarts: field(Count, "How often its worker was restarted on that day"),
        causes: field(
          Schema.Array(
            Schema.Struct({
              cause: field(Schema.String, "The verdict, or what else caused them"),
              restarts: field(Count, "How many")
            })
          ),
          "The most frequent first"
        )
      })
    ),
    "The restarts of the last seven days including today, the newest day first"
  ),
  damaged_lines: field(Count, "Unreadable lines of the history")
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
const weekBefore = (nowMs: number, zone: Zone): number => midnightBefore(nowMs - 6 * dayMs, zone)

/** The records needed to answer a question: all since `sinceMs`, and at least `atLeast`. */
export const needed = (
  { from, limit, sinceMs, untilMs }: HistoryQuestion,
  nowMs: number,
  zone: Zone
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
  zone: Zone
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
