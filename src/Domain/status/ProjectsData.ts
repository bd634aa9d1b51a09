import * as Schema from "effect/Schema"
import { Count, perhaps } from "../Wire.ts"
import { WorkerStatus } from "../worker/WorkerState.ts"
import { AgentData, LastAgentData } from "./AgentData.ts"

/** One project in the answer to Projects. */
export const ProjectRow = Schema.Struct({
  name: Schema.String,
  /** Commands without `--project` mean this one. */
  selected: Schema.Boolean,
  worker_status: WorkerStatus,
  worker_pid: Schema.NullOr(Count),
  uptime_seconds: Count,
  total_restarts: Count,
  consecutive_failures: Count,
  /** The memory of the worker's process tree in the last sample; null when none runs, or before the first sample. */
  memory_bytes: Schema.NullOr(Count),
  /** The size of the process tree; null likewise. */
  processes: Schema.NullOr(Count),
  /** The CPU time of the process tree between the last two samples; 1000 is one core. Absent before the second one. */
  cpu_per_mille: perhaps(Count),
  /** Whether the daemon starts it when the daemon starts. */
  autostart: Schema.Boolean,
  /** The worker is stopped because its work is finished. Absent otherwise. */
  finished: perhaps(Schema.Literal(true)),
  /** The reason for this state, in one sentence. */
  reason: perhaps(Schema.String),
  /** The time of the next automatic start, in milliseconds since 1970. */
  next_start_at_ms: perhaps(Count),
  /** What its agent tells about itself, as in the answer to Status. */
  agent: perhaps(AgentData),
  last_agent: perhaps(LastAgentData)
})
export type ProjectRow = typeof ProjectRow.Type

/** The answer to Projects, in the order of the settings file; the top level's project is the first. */
export const ProjectsData = Schema.Struct({
  selected: Schema.String,
  projects: Schema.Array(ProjectRow)
})
export type ProjectsData = typeof ProjectsData.Type
