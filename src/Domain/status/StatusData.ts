import * as Schema from "effect/Schema"
import { MemoryLevel } from "../memory/MemoryLevel.ts"
import { Containment } from "../tree/WorkerGroup.ts"
import { Count, perhaps } from "../Wire.ts"
import { WorkerStatus } from "../worker/WorkerState.ts"
import { AgentData, LastAgentData } from "./AgentData.ts"

/**
 * The answer to Status. The first seven fields are the original's and always present; the others are absent when they
 * do not apply. All numbers are integers, because the original's client refuses even `1.0`.
 */
export const StatusData = Schema.Struct({
  worker_status: WorkerStatus,
  worker_pid: Schema.NullOr(Count),
  uptime_seconds: Count,
  total_restarts: Count,
  consecutive_failures: Count,
  memory_available_bytes: Count,
  memory_total_bytes: Count,
  /** Absent, like the next ones, until the first reading of the memory. */
  memory_level: perhaps(MemoryLevel),
  /** The thresholds of available memory below which it is low, and critical. */
  memory_min_available_bytes: perhaps(Count),
  memory_critical_threshold_bytes: perhaps(Count),
  /** The folder of the cgroup whose limit binds. Absent where the machine does. */
  memory_bound_by: perhaps(Schema.String),
  /**
   * The share of time since the last reading in which some, and all, processes waited for memory (PSI). Absent where the
   * kernel does not measure it.
   */
  memory_pressure_some_per_mille: perhaps(Count),
  memory_pressure_full_per_mille: perhaps(Count),
  swap_total_bytes: perhaps(Count),
  swap_free_bytes: perhaps(Count),
  /** The worker is stopped because its work is finished. Absent otherwise. */
  finished: perhaps(Schema.Literal(true)),
  project: perhaps(Schema.String),
  /** The project that commands without `--project` mean. */
  selected_project: perhaps(Schema.String),
  /** The reason for this state, in one sentence. */
  reason: perhaps(Schema.String),
  /** The time of the next automatic start, in milliseconds since 1970. */
  next_start_at_ms: perhaps(Count),
  /** The end of the last run, in one sentence. */
  last_exit: perhaps(Schema.String),
  worker_id: perhaps(Schema.String),
  /** The line without an end after which the worker has been quiet for a second: it may wait for an answer. */
  unfinished_line: perhaps(Schema.String),
  /** The size of the process tree in the last sample. Threads do not count. */
  worker_processes: perhaps(Count),
  /** The memory of the tree, swap included. Without a cgroup, shared pages count once per process. */
  worker_memory_bytes: perhaps(Count),
  /** The part of it that is in swap. Absent when it is zero. */
  worker_swap_bytes: perhaps(Count),
  /** The largest sample of this run. */
  worker_peak_memory_bytes: perhaps(Count),
  /** How the daemon finds all processes of the tree. Absent while no worker runs. */
  containment: perhaps(Containment),
  /** The limit above which the daemon restarts the worker. Absent without a limit. */
  worker_limit_bytes: perhaps(Count),
  /** The command line of this run, or else of the next one. */
  worker_command: perhaps(Schema.Array(Schema.String)),
  /** Where that command line is set, as `config check` shows it. */
  worker_command_source: perhaps(Schema.String),
  working_dir: perhaps(Schema.String),
  /** Changed settings that take effect at the next start of the worker. */
  awaiting_restart: perhaps(Schema.Array(Schema.String)),
  daemon_pid: perhaps(Count),
  daemon_uptime_seconds: perhaps(Count),
  daemon_version: perhaps(Schema.String),
  /** Parts of the daemon that have failed and are being restarted. */
  degraded: perhaps(Schema.Array(Schema.String)),
  /** What the agent tells about itself. Absent while no worker runs, and for a worker that is no agent. */
  agent: perhaps(AgentData),
  /** What is left of the last run of its agent, while none runs. */
  last_agent: perhaps(LastAgentData),
  /** The number of projects in each state. */
  projects: perhaps(Schema.Record({ key: Schema.String, value: Count }))
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
