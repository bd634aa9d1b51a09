import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { isTable } from "../toml/RawSettings.ts"
import { DaemonEvent } from "./DaemonEvent.ts"

/** What stands at the beginning of each record. */
export const RecordHead = Schema.Struct({
  /** When it happened, in milliseconds since 1970. */
  at: Schema.Int,
  /** Counts from 0 in each run of the daemon. Where numbers are missing, records are. */
  seq: Schema.NonNegativeInt,
  /** The run of the daemon: another one has another id. */
  daemon: Schema.String.pipe(Schema.minLength(1))
})
export type RecordHead = typeof RecordHead.Type

/** Something that has happened, as it is kept: the fields of the event stand beside those of the head. */
export type HistoryRecord = RecordHead & DaemonEvent

/** The records of one event. */
export type RecordOf<Tag extends DaemonEvent["_tag"]> = RecordHead & Extract<DaemonEvent, { _tag: Tag }>

/** A line is no longer than this many characters: a worker's command may be a text of pages. */
export const maxLineLength = 16_384

/** How far texts and lists are cut until a line is short enough, first step first. No name of a project is longer. */
const cuts = [2048, 512, 128, 64]

const shortened = (value: unknown, maxLength: number): unknown => {
  if (typeof value === "string") {
    return value.length <= maxLength ? value : `${value.slice(0, maxLength - 1)}…`
  }
  if (Array.isArray(value)) return value.slice(0, maxLength / 4).map((item) => shortened(item, maxLength))
  if (!isTable(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shortened(inner, maxLength)]))
}

/** Half of a surrogate pair is no character: what is cut in its middle could not be read back as it was written. */
const wellFormed = (_key: string, value: unknown): unknown =>
  typeof value === "string" ? value.replace(/\p{Cs}/gu, "\ufffd") : value

/** One record as a line of JSON, its newline included. Texts and lists that are too long for it are cut. */
export const lineOf = (head: RecordHead, event: DaemonEvent): string => {
  const record = { ...head, ...event }
  for (const maxLength of [Number.POSITIVE_INFINITY, ...cuts]) {
    const line = JSON.stringify(shortened(record, maxLength), wellFormed)
    if (line.length < maxLineLength || maxLength === cuts.at(-1)) return `${line}\n`
  }
  throw new Error("the last step returns")
}

const decodeHead = Schema.decodeUnknownOption(RecordHead)
const decodeEvent = Schema.decodeUnknownOption(DaemonEvent)

/**
 * Why a line is no record. `damaged`: it is none at all. `foreign`: it is one of an event that this version does not
 * know, or knows otherwise.
 */
type NoRecord = "damaged" | "foreign"

/** Reads one line, without its newline. */
export const recordOf = (line: string): Either.Either<HistoryRecord, NoRecord> => {
  const value = Option.getOrUndefined(Option.liftThrowable((): unknown => JSON.parse(line))())
  const head = decodeHead(value)
  if (Option.isNone(head)) return Either.left("damaged")
  return Either.fromOption(
    Option.map(decodeEvent(value), (event) => ({ ...head.value, ...event })),
    () => "foreign"
  )
}

/** When the record of a line has happened, in milliseconds since 1970, seen without reading all of it. */
export const timeOfLine = (line: string): number | undefined => {
  const found = /^\{"at":(\d{1,16}),/.exec(line)
  return found === null ? undefined : Number(found[1])
}
/**
 * What is told while it lasts and would only push older events out of the history. What it is about is kept: the
 * change of the level and each decision about memory; the warning of an env file is told at every start, and lost lines
 * are counted in the worker's log, where they are missing.
 */
const noise: ReadonlySet<DaemonEvent["_tag"]> = new Set<DaemonEvent["_tag"]>([
  "ShortOfMemory",
  "EnvFileDoubtful",
  "OutputDropped"
])
/** Whether an event is kept in the history. */

export const isKept = ({ _tag }: DaemonEvent): boolean => !noise.has(_tag)
