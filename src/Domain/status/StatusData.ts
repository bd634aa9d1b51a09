import * as Schema from "effect/Schema"
import { MemoryLevel } from "../memory/MemoryLevel.ts"
import { Containment } from "../tree/WorkerGroup.ts"
import { Count, field, Moment, perhaps } from "../Wire.ts"
import { WorkerStatus } from "../worker/WorkerState.ts"
import { AgentData, LastAgentData } from "./AgentData.ts"
import { lastRunFields } from "./LastRun.ts"

const pid = "The process that the daemon has started; null while none runs"

/**
 * The answer to Status. The first seven fields are the original's and always present; the others are absent when they
 * do not apply. All numbers are integers, because the original's client refuses even `1.0`.
 */
export const StatusData = Schema.Struct({
  worker_status: field(WorkerStatus, "The state of the worker"),
  worker_pid: field(Schema.NullOr(Count), pid),
  uptime_seconds: field(Count, "Since the start of the worker; 0 while none runs"),
  total_restarts: field(Count, "Since the start of the daemon"),
  consecutive_failures: field(Count, "Failures in a row, which the backoff counts"),
  memory_available_bytes: field(Count, "What the machine, or the cgroup that binds, has left"),
  memory_total_bytes: field(Count, "What it has in all"),
  memory_level: perhaps(MemoryLevel, "Absent, like the next ones, until the first reading of the memory"),
  memory_min_available_bytes: perhaps(Count, "Below this much available memory it is low"),
  memory_critical_threshold_bytes: perhaps(Count, "Below this much available memory it is critical"),
  memory_bound_by: perhaps(
    Schema.String,
    "The folder of the cgroup whose limit binds. Absent where the machine does"
  ),
  memory_pressure_some_per_mille: perhaps(
    Count,
    "The share of time since the last reading in which some processes waited for memory (PSI). Absent where the kernel does not measure it"
  ),
  memory_pressure_full_per_mille: perhaps(
    Count,
    "The share of time in which all processes waited for memory"
  ),
  swap_total_bytes: perhaps(Count, "The swap of the machine"),
  swap_free_bytes: perhaps(Count, "The part of it that is free"),
  finished: perhaps(
    Schema.Literal(true),
    "The worker is stopped because its work is finished. Absent otherwise"
  ),
  project: perhaps(Schema.String, "The project of this worker"),
  selected_project: perhaps(Schema.String, "The project that commands without `--project` mean"),
  reason: perhaps(Schema.String, "The reason for this state, in one sentence"),
  state_since_ms: perhaps(Moment, "The beginning of this state. Absent in answers of older versions"),
  next_start_at_ms: perhaps(Moment, "The time of the next automatic start"),
  last_exit: perhaps(Schema.String, "The end of the last run, in one sentence"),
  ...lastRunFields,
  worker_id: perhaps(Schema.String, "The id of this run, which the environment of its processes has"),
  unfinished_line: perhaps(
    Schema.String,
    "The line without an end after which the worker has been quiet for a second: it may wait for an answer"
  ),
  worker_processes: perhaps(Count, "The size of the process tree in the last sample. Threads do not count"),
  worker_memory_bytes: perhaps(
    Count,
    "The memory of the tree, swap included. Without a cgroup, shared pages count once per process"
  ),
  worker_swap_bytes: perhaps(Count, "The part of it that is in swap. Absent when it is zero"),
  worker_peak_memory_bytes: perhaps(Count, "The largest sample of this run"),
  containment: perhaps(
    Containment,
    "How the daemon finds all processes of the tree. Absent while no worker runs"
  ),
  worker_limit_bytes: perhaps(
    Count,
    "The limit above which the daemon restarts the worker. Absent without a limit"
  ),
  worker_command: perhaps(
    Schema.Array(Schema.String),
    "The command line of this run, or else of the next one"
  ),
  worker_command_source: perhaps(Schema.String, "Where that command line is set, as `config check` shows it"),
  working_dir: perhaps(Schema.String, "The folder of the worker"),
  awaiting_restart: perhaps(
    Schema.Array(Schema.String),
    "Changed settings that take effect at the next start of the worker"
  ),
  daemon_pid: perhaps(Count, "The process of the daemon"),
  daemon_uptime_seconds: perhaps(Count, "Since the start of the daemon"),
  daemon_version: perhaps(Schema.String, "The version of the daemon"),
  degraded: perhaps(
    Schema.Array(Schema.String),
    "Parts of the daemon that have failed and are being restarted"
  ),
  agent: perhaps(
    AgentData,
    "What the agent tells about itself. Absent while no worker runs, and for a worker that is no agent"
  ),
  last_agent: perhaps(LastAgentData, "What is left of the last run of its agent, while none runs"),
  projects: perhaps(
    Schema.Record({ key: Schema.String, value: Count }),
    "The number of projects in each state"
  )
})
export type StatusData = typeof StatusData.Type

/**
 * A status as a client accepts it, also from the original daemon or a newer one: any word as status (the original's is
 * empty before its first poll), and `worker_pid` null or absent.
 */
export const StatusReply = Schema.Struct({
  ...StatusData.fields,
  worker_status: Schema.String,
  worker_pid: Schema.optionalWith(Schema.NullOr(Count), { exact: true, default: () => null })
})
export type StatusReply = typeof StatusReply.Type
