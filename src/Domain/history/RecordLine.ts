import { fitted, jsonIn, misfit } from "../Shape.ts"
import type { DaemonEvent } from "./DaemonEvent.ts"
import type { HistoryRecord } from "./HistoryRecord.ts"
import { recordShapes } from "./RecordShapes.ts"

/** Why a line is no record. `damaged`: not a record at all. `foreign`: a record of an event of another version. */
type NoRecord = "damaged" | "foreign"

let shapes: ReturnType<typeof recordShapes> | undefined

/** The event in a JSON value; undefined for one of another version. */
export const eventIn = (value: unknown): DaemonEvent | undefined => {
  const event = fitted((shapes ??= recordShapes()).event, value)
  // The shape is that of DaemonEvent.
  return event === misfit ? undefined : (event as DaemonEvent)
}

/** Reads one line, without its newline: the record, or why it is none. */
export const recordOf = (line: string): HistoryRecord | NoRecord => {
  const value = jsonIn(line)
  const head = fitted((shapes ??= recordShapes()).head, value)
  if (head === misfit) return "damaged"
  const event = eventIn(value)
  return event === undefined ? "foreign" : { ...Object(head), ...event }
}

/** The time of a line in milliseconds since 1970, without parsing the whole line. */
export const timeOfLine = (line: string): number | undefined => {
  const found = /^\{"at":(\d{1,16}),/.exec(line)
  return found === null ? undefined : Number(found[1])
}
