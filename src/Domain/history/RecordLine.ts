import * as Either from "effect/Either"
import { fitted, misfit, type Shape } from "../Shape.ts"
import type { HistoryRecord } from "./HistoryRecord.ts"

/** The forms of a record: of the fields at its beginning, and of its event. */
export interface RecordShapes {
  readonly head: Shape
  readonly event: Shape
}

/** Why a line is no record. `damaged`: not a record at all. `foreign`: a record of an event of another version. */
export type NoRecord = "damaged" | "foreign"

const jsonIn = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return misfit
  }
}

/** A reader of single lines, without their newlines. */
export const recordReader =
  (shapes: RecordShapes) =>
  (line: string): Either.Either<HistoryRecord, NoRecord> => {
    const value = jsonIn(line)
    const head = fitted(shapes.head, value)
    if (head === misfit) return Either.left("damaged")
    const event = fitted(shapes.event, value)
    // The shapes are those of RecordHead and DaemonEvent.
    return event === misfit ? Either.left("foreign") : Either.right({ ...Object(head), ...Object(event) })
  }

/** The time of a line in milliseconds since 1970, without parsing the whole line. */
export const timeOfLine = (line: string): number | undefined => {
  const found = /^\{"at":(\d{1,16}),/.exec(line)
  return found === null ? undefined : Number(found[1])
}
