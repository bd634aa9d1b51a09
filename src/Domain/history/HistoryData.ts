import type * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import { midnightBefore } from "../text/LocalTime.ts"
import { Count } from "../Wire.ts"
import { describeEvent } from "./DaemonEvent.ts"
import { type HistoryRecord, RecordHead } from "./HistoryRecord.ts"
import { restartsByDay, restartsIn } from "./Restarts.ts"

/** A record with its text, and all fields of its event. */
const HistoryRow = Schema.Struct(
  {
    ...RecordHead.fields,
    _tag: Schema.String,
    level: Schema.Literal("info", "warning", "error"),
    /** The event in one sentence. */
    text: Schema.String
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
  /** The greatest number of records; the newest are kept. */
  readonly limit: number
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
  { limit, sinceMs, untilMs }: HistoryQuestion,
  nowMs: number,
  zone: DateTime.TimeZone
): { readonly sinceMs: number; readonly atLeast: number } => {
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

/** `1 event`, `20 events`. */
export const eventCount = (count: number): string => `${count} event${count === 1 ? "" : "s"}`

/** The answer, from the records that `needed` selects. */
export const historyData = (
  { damaged, records }: { readonly records: ReadonlyArray<HistoryRecord>; readonly damaged: number },
  question: HistoryQuestion,
  nowMs: number,
  zone: DateTime.TimeZone
): HistoryData => ({
  records: answering(records, question).map(rowOf),
  restarts: restartsByDay(
    restartsIn(records).filter(({ at }) => at >= weekBefore(nowMs, zone)),
    zone
  ),
  damaged_lines: damaged
})
