import * as Schema from "effect/Schema"
import { MemoryLevel } from "../memory/MemoryLevel.ts"
import { Containment } from "../tree/WorkerGroup.ts"
import { Count, perhaps } from "../Wire.ts"
import { WorkerStatus } from "../worker/WorkerState.ts"

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
  /** Absent, like the next ones, until the memory could be read. */
  memory_level: perhaps(MemoryLevel),
  /** Below this much available memory it is low, below the other critical. */
  memory_min_available_bytes: perhaps(Count),
  memory_critical_threshold_bytes: perhaps(Count),
  /** The folder of the cgroup that leaves less than the machine has available. Absent: the machine binds. */
  memory_bound_by: perhaps(Schema.String),
  /**
   * Thousandths of the time since the last look in which at least one process waited for memory, and all at once.
   * Absent where the kernel does not count it.
   */
  memory_pressure_some_per_mille: perhaps(Count),
  memory_pressure_full_per_mille: perhaps(Count),
  swap_total_bytes: perhaps(Count),
  swap_free_bytes: perhaps(Count),
  project: perhaps(Schema.String),
  /** The project that commands mean which name none. */
  selected_project: perhaps(Schema.String),
  /** Why the worker is in this state, in one sentence. */
  reason: perhaps(Schema.String),
  /** When the worker is started again by itself: milliseconds since 1970. */
  next_start_at_ms: perhaps(Count),
  /** How the last worker ended, in one sentence. */
  last_exit: perhaps(Schema.String),
  worker_id: perhaps(Schema.String),
  /** How many processes the worker consists of, as last looked at. Threads are none. */
  worker_processes: perhaps(Count),
  /** What they hold together, swap included. Pages that they share are counted for each, where no cgroup counts them. */
  worker_memory_bytes: perhaps(Count),
  /** The part of it that is in swap. Absent where there is none. */
  worker_swap_bytes: perhaps(Count),
  /** The most that they have held when looked at, since the worker was started. */
  worker_peak_memory_bytes: perhaps(Count),
  /** Whether its own cgroup holds its processes together, or only their descent. Absent while none runs. */
  containment: perhaps(Containment),
  /** Above this the worker is restarted. Absent where no limit is set. */
  worker_limit_bytes: perhaps(Count),
  /** What runs; when nothing does, what the next start runs. */
  worker_command: perhaps(Schema.Array(Schema.String)),
  working_dir: perhaps(Schema.String),
  /** Settings that have changed since the worker was started and that its next start brings. Empty when none. */
  awaiting_restart: perhaps(Schema.Array(Schema.String)),
  daemon_pid: perhaps(Count),
  daemon_uptime_seconds: perhaps(Count),
  daemon_version: perhaps(Schema.String),
  /** Concerns of the daemon that have failed and are being started again. Empty when all is well. */
  degraded: perhaps(Schema.Array(Schema.String)),
  /** How many projects are in each state, this one included. */
  projects: perhaps(Schema.Record({ key: Schema.String, value: Count }))
})
export type StatusData = typeof StatusData.Type

/**
 * A status as a client accepts it, also from the original daemon or a newer one: any word for the worker's status
 * (the original's is empty before its first look), `worker_pid` null or absent.
 */
export const StatusReply = Schema.Struct({
  ...StatusData.fields,
  worker_status: Schema.String,
  worker_pid: Schema.optionalWith(Schema.NullOr(Count), { exact: true, default: () => null })
})
export type StatusReply = typeof StatusReply.Type
