import * as Schema from "effect/Schema"
import { ProjectName } from "./Project.ts"

/** A field that is absent, never null, when there is nothing to say. */
const perhaps = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

const forProject = { project: perhaps(ProjectName) }

/** What may be asked on the control socket: one JSON object. Keys that a request does not know are ignored. */
export const ControlRequest = Schema.Union(
  Schema.Struct({ type: Schema.Literal("Status"), ...forProject }),
  Schema.Struct({ type: Schema.Literal("GetMetrics"), ...forProject }),
  Schema.Struct({ type: Schema.Literal("StartWorker"), ...forProject }),
  Schema.Struct({ type: Schema.Literal("StopWorker"), ...forProject }),
  Schema.Struct({ type: Schema.Literal("RestartWorker"), ...forProject }),
  Schema.Struct({ type: Schema.Literal("Shutdown") })
)
export type ControlRequest = typeof ControlRequest.Type

/** The words for a worker's state on the wire. */
export const WorkerStatus = Schema.Literal(
  "stopped",
  "starting",
  "running",
  "stopping",
  "restarting",
  "waiting",
  "failed"
)
export type WorkerStatus = typeof WorkerStatus.Type

const Count = Schema.NonNegativeInt

/**
 * The answer to Status. The first seven fields are the original's and are always there; all numbers are integers,
 * because its client refuses even `1.0`. The others are absent when there is nothing to say.
 */
export const StatusData = Schema.Struct({
  worker_status: WorkerStatus,
  worker_pid: Schema.NullOr(Count),
  uptime_seconds: Count,
  total_restarts: Count,
  consecutive_failures: Count,
  memory_available_bytes: Count,
  memory_total_bytes: Count,
  project: perhaps(Schema.String),
  /** Why the worker is in this state, in one sentence. */
  reason: perhaps(Schema.String),
  /** When the worker is started again by itself: milliseconds since 1970. */
  next_start_at_ms: perhaps(Count),
  /** How the last worker ended, in one sentence. */
  last_exit: perhaps(Schema.String),
  worker_id: perhaps(Schema.String),
  worker_command: perhaps(Schema.Array(Schema.String)),
  working_dir: perhaps(Schema.String),
  daemon_pid: perhaps(Count),
  daemon_uptime_seconds: perhaps(Count),
  daemon_version: perhaps(Schema.String),
  /** Concerns of the daemon that have failed and are being started again. Empty when all is well. */
  degraded: perhaps(Schema.Array(Schema.String)),
  /** How many projects are in each state, this one included. */
  projects: perhaps(Schema.Record({ key: Schema.String, value: Count }))
})
export type StatusData = typeof StatusData.Type

/** Every answer: one JSON object and a newline, in one write. `data` is absent, never null, when there is none. */
export const ControlResponse = Schema.Struct({
  success: Schema.Boolean,
  message: Schema.String,
  data: perhaps(StatusData)
})
export type ControlResponse = typeof ControlResponse.Type

/**
 * A response as a client accepts it, also from the original daemon or a newer one: any word for the worker's
 * status (the original's is empty before its first look), `worker_pid` null or absent, `data` null or absent.
 */
export const ControlReply = Schema.Struct({
  success: Schema.Boolean,
  message: Schema.String,
  data: Schema.optionalWith(
    Schema.Struct({
      ...StatusData.fields,
      worker_status: Schema.String,
      worker_pid: Schema.optionalWith(Schema.NullOr(Count), { exact: true, default: () => null })
    }),
    { exact: true, nullable: true }
  )
})
export type ControlReply = typeof ControlReply.Type
