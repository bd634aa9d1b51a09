import * as Schema from "effect/Schema"
import { DaemonEvent, projectOf } from "../history/DaemonEvent.ts"
import { EventCursor } from "../history/EventsFrom.ts"
import type { PublishedEvent } from "../history/HistoryRecord.ts"
import { ProjectName } from "../Project.ts"
import { ProjectsData } from "../status/ProjectsData.ts"
import { StatusData } from "../status/StatusData.ts"
import { jsonText } from "../text/Printable.ts"
import { Count, perhaps } from "../Wire.ts"

/** Keeps the connection open: first a snapshot, then every event. */
export const SubscribeRequest = Schema.Struct({
  type: Schema.Literal("Subscribe"),
  /** Limits the lines to this project's and to those of no project. */
  project: perhaps(ProjectName),
  /** Also sends the workers' output. */
  logs: perhaps(Schema.Boolean)
})
export type SubscribeRequest = typeof SubscribeRequest.Type

const Snapshot = Schema.Struct({
  type: Schema.Literal("snapshot"),
  /** Milliseconds since 1970, as in all lines. */
  at: Count,
  status: StatusData,
  projects: ProjectsData,
  /** The first event of the history that follows as a line, if none is lost on the way. */
  next: perhaps(EventCursor)
})

/** A line to a subscriber: a JSON object and a newline. A later version may send other types. */
export const SubscriptionLine = Schema.Union(
  Snapshot,
  Schema.Struct({
    type: Schema.Literal("event"),
    at: Count,
    /** Absent for an event of no project. */
    project: perhaps(ProjectName),
    /** As in the history; absent for an event that the history does not keep. */
    daemon: perhaps(EventCursor.fields.daemon),
    seq: perhaps(EventCursor.fields.seq),
    event: DaemonEvent
  }),
  Schema.Struct({
    type: Schema.Literal("log"),
    at: Count,
    project: ProjectName,
    stream: Schema.Literal("out", "err"),
    text: Schema.String
  }),
  /** Keeps an idle subscription alive. */
  Schema.Struct({ type: Schema.Literal("alive"), at: Count }),
  /** The reason why the daemon ends the subscription. The last line. */
  Schema.Struct({ type: Schema.Literal("notice"), message: Schema.String })
)
export type SubscriptionLine = typeof SubscriptionLine.Type

const encode = Schema.encodeSync(SubscriptionLine)

/** Encodes a line, with its newline. */
export const subscriptionLine = (line: SubscriptionLine): string => `${jsonText(encode(line))}\n`

/** Encodes an event. `nowMs` is the time of one that the history does not keep. */
export const eventLine = ({ at, daemon, seq, ...event }: PublishedEvent, nowMs: number): string => {
  const project = projectOf(event)
  return subscriptionLine({
    type: "event",
    at: at ?? nowMs,
    ...(project === undefined ? {} : { project }),
    ...(daemon === undefined || seq === undefined ? {} : { daemon, seq }),
    event
  })
}

/** Encodes a worker's output, line by line. */
export const logLines = (
  project: ProjectName,
  stream: "out" | "err",
  texts: ReadonlyArray<string>,
  at: number
): ReadonlyArray<string> =>
  texts.map((text) => {
    // Not through the Schema, which is too slow for a flood of lines.
    const line: typeof SubscriptionLine.Encoded = { type: "log", at, project, stream, text }
    return `${jsonText(line)}\n`
  })

/** Whether a subscriber receives lines of this project; undefined stands for no project. */
export const isSubscribed = (
  { project: wanted }: SubscribeRequest,
  project: ProjectName | undefined
): boolean => wanted === undefined || project === undefined || project === wanted
