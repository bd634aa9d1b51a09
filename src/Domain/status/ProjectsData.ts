import * as Schema from "effect/Schema"
import { Count, field, Moment, perhaps } from "../Wire.ts"
import { WorkerStatus } from "../worker/WorkerState.ts"
import { AgentData, LastAgentData } from "./AgentData.ts"
import { lastRunFields } from "./LastRun.ts"

/** One project in the answer to Projects. */
export const ProjectRow = Schema.Struct({
  name: field(Schema.String, "The name of the project"),
  selected: field(Schema.Boolean, "Commands without `--project` mean this one"),
  worker_status: field(WorkerStatus, "The state of the worker"),
  worker_pid: field(Schema.NullOr(Count), "The process that the daemon has started; null while none runs"),
  uptime_seconds: field(Count, "Since the start of the worker; 0 while none runs"),
  total_restarts: field(Count, "Since the start of the daemon"),
  consecutive_failures: field(Count, "Failures in a row, which the backoff counts"),
  memory_bytes: field(
    Schema.NullOr(Count),
    "The memory of the worker's process tree in the last sample; null when none runs, or before the first sample"
  ),
  processes: field(Schema.NullOr(Count), "The size of the process tree; null likewise"),
  cpu_per_mille: perhaps(
    Count,
    "The CPU time of the process tree between the last two samples; 1000 is one core. Absent before the second one"
  ),
  autostart: field(Schema.Boolean, "Whether the daemon starts it when the daemon starts"),
  finished: perhaps(
    Schema.Literal(true),
    "The worker is stopped because its work is finished. Absent otherwise"
  ),
  reason: perhaps(Schema.String, "The reason for this state, in one sentence"),
  state_since_ms: perhaps(Moment, "The beginning of this state. Absent in answers of older versions"),
  next_start_at_ms: perhaps(Moment, "The time of the next automatic start"),
  ...lastRunFields,
  agent: perhaps(AgentData, "What its agent tells about itself, as in the answer to Status"),
  last_agent: perhaps(LastAgentData, "What is left of the last run of its agent, while none runs")
})
export type ProjectRow = typeof ProjectRow.Type

/** The answer to Projects, in the order of the settings file; the top level's project is the first. */
export const ProjectsData = Schema.Struct({
  selected: field(Schema.String, "The project that commands without `--project` mean"),
  projects: field(Schema.Array(ProjectRow), "In the order of the settings file")
})
export type ProjectsData = typeof ProjectsData.Type
