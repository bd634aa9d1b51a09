import * as Schema from "effect/Schema"
import { DaemonEvent, projectOf } from "../history/DaemonEvent.ts"
import { ProjectName } from "../Project.ts"
import { ProjectsData } from "../status/ProjectsData.ts"
import { StatusData } from "../status/StatusData.ts"
import { Count, perhaps } from "../Wire.ts"

/** Keeps the connection open: first how things are, then what happens. */
export const SubscribeRequest = Schema.Struct({
  type: Schema.Literal("Subscribe"),
  /** Only of this project, and what is about none. Without it: of all. */
  project: perhaps(ProjectName),
  /** The workers' lines, too. */
  logs: perhaps(Schema.Boolean)
})
export type SubscribeRequest = typeof SubscribeRequest.Type

/** The first line: how things are. What happens afterwards follows. */
const Snapshot = Schema.Struct({
  type: Schema.Literal("snapshot"),
  /** Milliseconds since 1970, as in all lines. */
  at: Count,
  status: StatusData,
  projects: ProjectsData
})

/** One of what a subscriber is sent: a JSON object and a newline each. A later version may send others. */
export const SubscriptionLine = Schema.Union(
  Snapshot,
  Schema.Struct({
    type: Schema.Literal("event"),
    at: Count,
    /** Absent where it is about no project. */
    project: perhaps(ProjectName),
    event: DaemonEvent
  }),
  Schema.Struct({
    type: Schema.Literal("log"),
    at: Count,
    project: ProjectName,
    stream: Schema.Literal("out", "err"),
    text: Schema.String
  }),
  /** Nothing has happened for a while. */
  Schema.Struct({ type: Schema.Literal("alive"), at: Count }),
  /** Why the daemon ends the subscription. Nothing follows. */
  Schema.Struct({ type: Schema.Literal("notice"), message: Schema.String })
)
export type SubscriptionLine = typeof SubscriptionLine.Type

const encode = Schema.encodeSync(SubscriptionLine)

/** One line, with its newline. */
export const subscriptionLine = (line: SubscriptionLine): string => `${JSON.stringify(encode(line))}\n`

/** An event as a line. */
export const eventLine = (event: DaemonEvent, at: number): string => {
  const project = projectOf(event)
  return subscriptionLine({ type: "event", at, ...(project === undefined ? {} : { project }), event })
}

/** A worker's lines, one by one. What is not UTF-8 in them is replaced, for JSON can hold nothing else. */
export const logLines = (
  project: ProjectName,
  stream: "out" | "err",
  texts: ReadonlyArray<string>,
  at: number
): ReadonlyArray<string> =>
  texts.map((text) => {
    // Written as it is: a flood of lines must not go through a Schema.
    const line: typeof SubscriptionLine.Encoded = { type: "log", at, project, stream, text }
    return `${JSON.stringify(line)}
`
  })

/** Whether a subscriber wants what is about this project; undefined is what is about none. */
export const isSubscribed = (
  { project: wanted }: SubscribeRequest,
  project: ProjectName | undefined
): boolean => wanted === undefined || project === undefined || project === wanted
