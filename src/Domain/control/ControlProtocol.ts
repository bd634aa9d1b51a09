import * as Schema from "effect/Schema"
import { ConfigRefused, ConfigText, ConfigWritten, ReloadData } from "../config/SettingsData.ts"
import { HogsData } from "../guard/HogsData.ts"
import { EventCursor } from "../history/EventsFrom.ts"
import { HistoryData, maxHistoryEvents } from "../history/HistoryData.ts"
import { SamplesData } from "../memory/SamplesData.ts"
import { MetricsData } from "../metrics/MetricsData.ts"
import { ProjectName } from "../Project.ts"
import { projectNameExpected } from "../ProjectNameRules.ts"
import { BudgetData } from "../session/BudgetData.ts"
import { expecting } from "../settings/Setting.ts"
import { ProjectsData } from "../status/ProjectsData.ts"
import { StatusData, StatusReply } from "../status/StatusData.ts"
import { Count, perhaps } from "../Wire.ts"
import { errorCodes } from "./ErrorCode.ts"
import { SubscribeRequest } from "./Subscription.ts"

const Name = expecting(ProjectName, projectNameExpected)

const forProject = { project: perhaps(Name) }

/** The requests that get one answer. */
export const ControlQuestion = Schema.Union(
  Schema.Struct({ type: Schema.Literal("Status"), ...forProject }),
  Schema.Struct({ type: Schema.Literal("GetMetrics"), ...forProject }),
  Schema.Struct({ type: Schema.Literal("StartWorker"), ...forProject }),
  Schema.Struct({ type: Schema.Literal("StopWorker"), ...forProject }),
  Schema.Struct({ type: Schema.Literal("RestartWorker"), ...forProject }),
  /** Begins another work of the project's agent: a new session, and its budget from zero. */
  Schema.Struct({ type: Schema.Literal("ResetBudget"), ...forProject }),
  /** What the agents of all projects have used. */
  Schema.Struct({ type: Schema.Literal("Budget") }),
  Schema.Struct({ type: Schema.Literal("Shutdown") }),
  Schema.Struct({ type: Schema.Literal("Projects") }),
  /** Everything a scrape needs. `GetMetrics` is the original's word for Status. */
  Schema.Struct({ type: Schema.Literal("Metrics") }),
  /** Lists the processes that the daemon would kill if memory ran low. Kills none. */
  Schema.Struct({ type: Schema.Literal("Hogs") }),
  /** The last events, of one project and of the daemon itself, or of all. */
  Schema.Struct({
    type: Schema.Literal("History"),
    ...forProject,
    /** Milliseconds since 1970. */
    since_ms: perhaps(Count),
    limit: perhaps(Schema.Int.pipe(Schema.between(1, maxHistoryEvents))),
    /** The first events from this one on, instead of the last ones. */
    from: perhaps(EventCursor)
  }),
  /** The memory of the machine and of the workers, by default in the last hour, at most in the last day. */
  Schema.Struct({
    type: Schema.Literal("Samples"),
    /** Milliseconds since 1970. */
    since_ms: perhaps(Count),
    ...forProject
  }),
  /** Selects this project and starts its worker. Stops the one selected before first, unless `keep`. */
  Schema.Struct({
    type: Schema.Literal("SelectProject"),
    project: Name,
    keep: perhaps(Schema.Boolean)
  }),
  /** Adds a project and starts its worker. Without `project` the daemon names it after the folder. */
  Schema.Struct({
    type: Schema.Literal("RunProject"),
    ...forProject,
    /** Absolute. */
    working_dir: expecting(Schema.String.pipe(Schema.pattern(/^\//)), "an absolute path"),
    argv: Schema.NonEmptyArray(Schema.String)
  }),
  /** Selects this project. No worker starts or stops. */
  Schema.Struct({ type: Schema.Literal("UseProject"), project: Name }),
  /** Reads the settings again. With `restart`, restarts the workers that need it, or that of `project`. */
  Schema.Struct({ type: Schema.Literal("ReloadConfig"), ...forProject, restart: perhaps(Schema.Boolean) }),
  Schema.Struct({ type: Schema.Literal("GetConfig") }),
  /** Writes the settings file, if its text still has this hash. A dry run only returns what that would change. */
  Schema.Struct({
    type: Schema.Literal("SetConfig"),
    text: Schema.String,
    sha256: Schema.String,
    dry_run: perhaps(Schema.Boolean)
  })
)
export type ControlQuestion = typeof ControlQuestion.Type

/** A request on the control socket: one JSON object. Unknown keys are ignored. */
export const ControlRequest = Schema.Union(...ControlQuestion.members, SubscribeRequest)
export type ControlRequest = typeof ControlRequest.Type

/** The data of an answer. No two members have the same fields, which is how a decoder tells them apart. */
const AnswerData = Schema.Union(
  StatusData,
  ProjectsData,
  HogsData,
  HistoryData,
  SamplesData,
  BudgetData,
  MetricsData,
  ReloadData,
  ConfigText,
  ConfigWritten,
  ConfigRefused
)
export type AnswerData = typeof AnswerData.Type

/** An answer: one JSON object and a newline, in one write. `data` is absent, never null, when there is none. */
export const ControlResponse = Schema.Struct({
  success: Schema.Boolean,
  message: Schema.String,
  /** The kind of error of an answer that is no success. */
  code: perhaps(Schema.Literal(...errorCodes)),
  data: perhaps(AnswerData)
})
export type ControlResponse = typeof ControlResponse.Type

/** An answer as a client accepts it: without data, `data` may also be null, as the original writes it. */
const reply = <A, I>(data: Schema.Schema<A, I>) =>
  Schema.Struct({
    success: Schema.Boolean,
    message: Schema.String,
    code: perhaps(Schema.String),
    data: Schema.optionalWith(data, { exact: true, nullable: true })
  })

const aboutWorker = reply(StatusReply)

/** The answer to each request. */
export const replyTo = {
  Status: aboutWorker,
  GetMetrics: aboutWorker,
  StartWorker: aboutWorker,
  StopWorker: aboutWorker,
  RestartWorker: aboutWorker,
  ResetBudget: aboutWorker,
  Budget: reply(BudgetData),
  Shutdown: aboutWorker,
  SelectProject: aboutWorker,
  RunProject: aboutWorker,
  UseProject: aboutWorker,
  Projects: reply(ProjectsData),
  Metrics: reply(MetricsData),
  Hogs: reply(HogsData),
  History: reply(HistoryData),
  Samples: reply(SamplesData),
  ReloadConfig: reply(Schema.Union(ReloadData, ConfigRefused)),
  GetConfig: reply(Schema.Union(ConfigText, ConfigRefused)),
  SetConfig: reply(Schema.Union(ConfigWritten, ConfigRefused))
} as const satisfies Record<ControlQuestion["type"], Schema.Schema.AnyNoContext>

/** The answer to a request of one type. */
export type ReplyTo<T extends ControlQuestion["type"]> = (typeof replyTo)[T]["Type"]

/** An answer about a worker. */
export type ControlReply = ReplyTo<"Status">
