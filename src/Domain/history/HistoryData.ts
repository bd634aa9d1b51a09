import type * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import { midnightBefore } from "../text/LocalTime.ts"
import { Count } from "../Wire.ts"
import { describeEvent } from "./DaemonEvent.ts"
import { type HistoryRecord, RecordHead } from "./HistoryRecord.ts"
import { restartsByDay, restartsIn } from "./Restarts.ts"

/** One record as it is told: with the fields of its event as they were written, whichever these are. */
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

/** The answer to History. */
export const HistoryData = Schema.Struct({
  /** The oldest first. */
  records: Schema.Array(HistoryRow),
  /** Of the last seven days, today among them: the newest day first. */
  restarts: Schema.Array(
    Schema.Struct({
      day: Schema.String,
      project: Schema.String,
      restarts: Count,
      causes: Schema.Array(Schema.Struct({ cause: Schema.String, restarts: Count }))
    })
  ),
  /** Lines of the history that could not be read. */
  damaged_lines: Count
})
export type HistoryData = typeof HistoryData.Type

/** What is asked for. */
export interface HistoryQuestion {
  /** No records from before, in milliseconds since 1970. */
  readonly sinceMs: number | undefined
  /** Only the last so many. */
  readonly limit: number
}

/** More are not told in one answer of the daemon; the command reads the file itself. */
export const maxHistoryEvents = 1000

/** So many are told where nobody says how many. */
export const defaultHistoryEvents = 100

const dayMs = 86_400_000

/** The midnight from which on restarts are counted. */
const weekBefore = (nowMs: number, zone: DateTime.TimeZone): number => midnightBefore(nowMs - 6 * dayMs, zone)

/** Which records are needed to answer a question: all since a time, and at least so many of those before. */
export const needed = (
  { limit, sinceMs }: HistoryQuestion,
  nowMs: number,
  zone: DateTime.TimeZone
): { readonly sinceMs: number; readonly atLeast: number } =>
  sinceMs === undefined
    ? { sinceMs: weekBefore(nowMs, zone), atLeast: limit }
    : { sinceMs: Math.min(sinceMs, weekBefore(nowMs, zone)), atLeast: 0 }

/** The last of the records that were asked for. */
export const asked = (
  records: ReadonlyArray<HistoryRecord>,
  { limit, sinceMs }: HistoryQuestion
): ReadonlyArray<HistoryRecord> => {
  const wanted = sinceMs === undefined ? records : records.filter(({ at }) => at >= sinceMs)
  return limit === 0 ? [] : wanted.slice(-limit)
}

/** A record as it is told, with what it says in one sentence. */
export const rowOf = (record: HistoryRecord): HistoryRow => ({ ...record, ...describeEvent(record) })

/** `1 event`, `20 events`. */
export const eventCount = (count: number): string => `${count} event${count === 1 ? "" : "s"}`

/** The answer, of all the records that are needed for it. */
export const historyData = (
  { damaged, records }: { readonly records: ReadonlyArray<HistoryRecord>; readonly damaged: number },
  question: HistoryQuestion,
  nowMs: number,
  zone: DateTime.TimeZone
): HistoryData => ({
  records: asked(records, question).map(rowOf),
  restarts: restartsByDay(
    restartsIn(records).filter(({ at }) => at >= weekBefore(nowMs, zone)),
    zone
  ),
  damaged_lines: damaged
})
