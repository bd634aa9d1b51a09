import * as Schema from "effect/Schema"
import { DaemonEvent, projectOf } from "../history/DaemonEvent.ts"
import { EventCursor } from "../history/EventsFrom.ts"
import { type PublishedEvent, RunId } from "../history/HistoryRecord.ts"
import { ProjectName } from "../Project.ts"
import { projectNameExpected } from "../ProjectNameRules.ts"
import { expecting } from "../settings/Setting.ts"
import { ProjectsData } from "../status/ProjectsData.ts"
import { StatusData } from "../status/StatusData.ts"
import { jsonText } from "../text/Printable.ts"
import { Count, field, Moment, perhaps } from "../Wire.ts"

/** Keeps the connection open: first a snapshot, then every event. */
export const SubscribeRequest = Schema.Struct({
  type: Schema.Literal("Subscribe"),
  /** Limits the lines to this project's and to those of no project. */
  project: perhaps(expecting(ProjectName, projectNameExpected)),
  /** Also sends the workers' output. */
  logs: perhaps(Schema.Boolean)
})
export type SubscribeRequest = typeof SubscribeRequest.Type

const at = field(Moment, "The time of the line")

const Snapshot = Schema.Struct({
  type: field(Schema.Literal("snapshot"), "The first line of `--follow`: the present state"),
  at,
  status: field(StatusData, "As `status` has it"),
  projects: field(ProjectsData, "As `projects` has it"),
  next: perhaps(
    EventCursor,
    "The first event of the history that follows as a line, if none is lost on the way"
  )
})

const project = "The project that the line is about"

/** A line to a subscriber: a JSON object and a newline. A later version may send other types. */
export const SubscriptionLine = Schema.Union(
  Snapshot,
  Schema.Struct({
    type: field(Schema.Literal("event"), "Something has happened"),
    at,
    project: perhaps(ProjectName, `${project}. Absent for an event of no project`),
    daemon: perhaps(RunId, "As in the history; absent for an event that the history does not keep"),
    seq: perhaps(Count, "Likewise"),
    event: field(DaemonEvent, "The event")
  }),
  Schema.Struct({
    type: field(Schema.Literal("log"), "A line of the worker's output, for a subscriber that asks for it"),
    at,
    project: field(ProjectName, project),
    stream: field(Schema.Literal("out", "err"), "Standard output or standard error"),
    text: field(Schema.String, "The line")
  }),
  Schema.Struct({ type: field(Schema.Literal("alive"), "Keeps an idle subscription alive"), at }),
  Schema.Struct({
    type: field(Schema.Literal("notice"), "The last line: the daemon ends the subscription"),
    message: field(Schema.String, "Why")
  })
)
export type SubscriptionLine = typeof SubscriptionLine.Type

/** Encodes a line, with its newline. */
export const subscriptionLine = (line: SubscriptionLine): string => `${jsonText(line)}\n`

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
): ReadonlyArray<string> => texts.map((text) => subscriptionLine({ type: "log", at, project, stream, text }))

/** Whether a subscriber receives lines of this project; undefined stands for no project. */
export const isSubscribed = (
  { project: wanted }: SubscribeRequest,
  project: ProjectName | undefined
): boolean => wanted === undefined || project === undefined || project === wanted
