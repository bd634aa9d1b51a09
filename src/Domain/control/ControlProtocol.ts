import * as Schema from "effect/Schema"
import { ConfigRefused, ConfigText, ConfigWritten, ReloadData } from "../config/SettingsData.ts"
import { HogsData } from "../guard/HogsData.ts"
import { HistoryData, maxHistoryEvents } from "../history/HistoryData.ts"
import { ProjectName } from "../Project.ts"
import { ProjectsData } from "../status/ProjectsData.ts"
import { StatusData, StatusReply } from "../status/StatusData.ts"
import { Count, perhaps } from "../Wire.ts"
import { SubscribeRequest } from "./Subscription.ts"

const forProject = { project: perhaps(ProjectName) }

/** What is asked and answered once. */
export const ControlQuestion = Schema.Union(
  Schema.Struct({ type: Schema.Literal("Status"), ...forProject }),
  Schema.Struct({ type: Schema.Literal("GetMetrics"), ...forProject }),
  Schema.Struct({ type: Schema.Literal("StartWorker"), ...forProject }),
  Schema.Struct({ type: Schema.Literal("StopWorker"), ...forProject }),
  Schema.Struct({ type: Schema.Literal("RestartWorker"), ...forProject }),
  Schema.Struct({ type: Schema.Literal("Shutdown") }),
  Schema.Struct({ type: Schema.Literal("Projects") }),
  /** Whom the daemon would end if memory were low. Ends nobody. */
  Schema.Struct({ type: Schema.Literal("Hogs") }),
  /** What has happened: the last events, of one project and of the daemon itself, or of all. */
  Schema.Struct({
    type: Schema.Literal("History"),
    ...forProject,
    /** Milliseconds since 1970. */
    since_ms: perhaps(Count),
    limit: perhaps(Schema.Int.pipe(Schema.between(1, maxHistoryEvents)))
  }),
  /** Stops the selected project's worker, unless it is to be kept, then starts this one's, which is selected now. */
  Schema.Struct({
    type: Schema.Literal("SelectProject"),
    project: ProjectName,
    keep: perhaps(Schema.Boolean)
  }),
  /** Reads the settings anew. With `restart` the workers that need it are restarted, or the one of `project`. */
  Schema.Struct({ type: Schema.Literal("ReloadConfig"), ...forProject, restart: perhaps(Schema.Boolean) }),
  Schema.Struct({ type: Schema.Literal("GetConfig") }),
  /** Writes the settings file, if its text still has this hash. A dry run only says what that would change. */
  Schema.Struct({
    type: Schema.Literal("SetConfig"),
    text: Schema.String,
    sha256: Schema.String,
    dry_run: perhaps(Schema.Boolean)
  })
)
export type ControlQuestion = typeof ControlQuestion.Type

/** What may be asked on the control socket: one JSON object. Keys that a request does not know are ignored. */
export const ControlRequest = Schema.Union(...ControlQuestion.members, SubscribeRequest)
export type ControlRequest = typeof ControlRequest.Type

/** Every answer's data. No two have the same fields, so that each is recognised by them. */
const AnswerData = Schema.Union(
  StatusData,
  ProjectsData,
  HogsData,
  HistoryData,
  ReloadData,
  ConfigText,
  ConfigWritten,
  ConfigRefused
)
export type AnswerData = typeof AnswerData.Type

/** Every answer: one JSON object and a newline, in one write. `data` is absent, never null, when there is none. */
export const ControlResponse = Schema.Struct({
  success: Schema.Boolean,
  message: Schema.String,
  data: perhaps(AnswerData)
})
export type ControlResponse = typeof ControlResponse.Type

/** A reply as a client accepts it, its `data` null or absent where there is none. */
const reply = <A, I>(data: Schema.Schema<A, I>) =>
  Schema.Struct({
    success: Schema.Boolean,
    message: Schema.String,
    data: Schema.optionalWith(data, { exact: true, nullable: true })
  })

const aboutWorker = reply(StatusReply)

/** The reply to each question. */
export const replyTo = {
  Status: aboutWorker,
  GetMetrics: aboutWorker,
  StartWorker: aboutWorker,
  StopWorker: aboutWorker,
  RestartWorker: aboutWorker,
  Shutdown: aboutWorker,
  SelectProject: aboutWorker,
  Projects: reply(ProjectsData),
  Hogs: reply(HogsData),
  History: reply(HistoryData),
  ReloadConfig: reply(Schema.Union(ReloadData, ConfigRefused)),
  GetConfig: reply(ConfigText),
  SetConfig: reply(Schema.Union(ConfigWritten, ConfigRefused))
} as const satisfies Record<ControlQuestion["type"], Schema.Schema.AnyNoContext>

/** The reply to a request of one type. */
export type ReplyTo<T extends ControlQuestion["type"]> = (typeof replyTo)[T]["Type"]

/** A reply about a worker. */
export type ControlReply = ReplyTo<"Status">
