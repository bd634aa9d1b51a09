import * as Schema from "effect/Schema"
import { Count, perhaps } from "../Wire.ts"
import { WorkerStatus } from "../worker/WorkerState.ts"

/** One project in the answer to Projects. */
export const ProjectRow = Schema.Struct({
  name: Schema.String,
  /** Commands that name no project mean this one. */
  selected: Schema.Boolean,
  worker_status: WorkerStatus,
  worker_pid: Schema.NullOr(Count),
  uptime_seconds: Count,
  total_restarts: Count,
  consecutive_failures: Count,
  /** What the worker's processes hold together, as last looked at; null when none runs or it is not known yet. */
  memory_bytes: Schema.NullOr(Count),
  /** How many they are; null like that. */
  processes: Schema.NullOr(Count),
  /** Whether a start of the daemon starts it. */
  autostart: Schema.Boolean,
  /** Why the worker is in this state, in one sentence. */
  reason: perhaps(Schema.String),
  /** When the worker is started again by itself: milliseconds since 1970. */
  next_start_at_ms: perhaps(Count)
})
export type ProjectRow = typeof ProjectRow.Type

/** The answer to Projects, in the order of the settings file, the top level's first. */
export const ProjectsData = Schema.Struct({
  selected: Schema.String,
  projects: Schema.Array(ProjectRow)
})
export type ProjectsData = typeof ProjectsData.Type
