import * as Schema from "effect/Schema"
import { jsonText } from "../text/Printable.ts"
import { isTable } from "../toml/RawSettings.ts"
import { field, moment } from "../Wire.ts"
import type { DaemonEvent } from "./DaemonEvent.ts"

/** The id of a daemon's run. */
export const RunId = Schema.String.pipe(Schema.minLength(1))

/** The fields at the beginning of each record. */
export const RecordHead = Schema.Struct({
  at: field(moment(Schema.Int), "The time of the event"),
  seq: field(Schema.NonNegativeInt, "Counts from 0 in each run of the daemon. A gap means lost records"),
  daemon: field(RunId, "The id of the daemon's run")
})
export type RecordHead = typeof RecordHead.Type

/** An event as stored: its fields stand beside those of the head. */
export type HistoryRecord = RecordHead & DaemonEvent

/** An event as it is published: with the head of its record, if the history keeps it. */
export type PublishedEvent = DaemonEvent & Partial<RecordHead>

/** The records of one kind of event. */
export type RecordOf<Tag extends DaemonEvent["_tag"]> = RecordHead & Extract<DaemonEvent, { _tag: Tag }>

/** The longest line in characters: a worker's command may fill pages. */
export const maxLineLength = 16_384

/** The lengths to which texts and lists are cut until a line is short enough. No project name is longer than the last. */
const cuts = [2048, 512, 128, 64]

const shortened = (value: unknown, maxLength: number): unknown => {
  if (typeof value === "string") {
    return value.length <= maxLength ? value : `${value.slice(0, maxLength - 1)}…`
  }
  if (Array.isArray(value)) return value.slice(0, maxLength / 4).map((item) => shortened(item, maxLength))
  if (!isTable(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shortened(inner, maxLength)]))
}

/** A record as a line of JSON with its newline. Cuts texts and lists that are too long. */
export const lineOf = (head: RecordHead, event: DaemonEvent): string => {
  const record = { ...head, ...event }
  for (const maxLength of [Number.POSITIVE_INFINITY, ...cuts]) {
    const line = jsonText(shortened(record, maxLength))
    if (line.length < maxLineLength || maxLength === cuts.at(-1)) return `${line}\n`
  }
  throw new Error("the last step returns")
}

/**
 * Repeated events that would push older ones out of the history. Other events keep their subject: the change of the
 * memory level, each decision of the guard, the start of a worker, the gap in `worker.log` itself.
 */
const noise: ReadonlySet<DaemonEvent["_tag"]> = new Set<DaemonEvent["_tag"]>([
  "ShortOfMemory",
  "EnvFileDoubtful",
  "OutputDropped"
])

/** The history keeps this event. */
export const isKept = ({ _tag }: DaemonEvent): boolean => !noise.has(_tag)
