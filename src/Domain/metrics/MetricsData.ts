import * as Schema from "effect/Schema"
import { MemoryLevel } from "../memory/MemoryLevel.ts"
import { Count, perhaps } from "../Wire.ts"
import { WorkerStatus } from "../worker/WorkerState.ts"

const count = perhaps(Count)

/** Signals to processes of one kind since the start of the daemon. */
const HogsEnded = Schema.Struct({
  kind: Schema.Literal("leftover", "orphan", "hog"),
  signal: Schema.Literal("SIGTERM", "SIGKILL"),
  count: Count
})

/** The memory as the daemon sees it, in its cgroup. */
const MemoryMetrics = Schema.Struct({
  available_bytes: Count,
  total_bytes: Count,
  low_threshold_bytes: Count,
  critical_threshold_bytes: Count,
  level: MemoryLevel,
  pressure_some_per_mille: count,
  pressure_full_per_mille: count
})

/** The counters of an agent are those of this daemon's run: its ended runs and the one that goes on. */
const AgentMetrics = Schema.Struct({
  turns: Count,
  messages: Count,
  tool_calls: Count,
  /** Tokens are absent where the agent tells none. */
  input_tokens: count,
  output_tokens: count,
  cache_read_tokens: count,
  cache_creation_tokens: count,
  cost_micro_usd: count
})

/** One project and its worker. */
const WorkerMetrics = Schema.Struct({
  project: Schema.String,
  state: WorkerStatus,
  /** Absent while no worker runs, as all figures of its process tree. */
  started_at_ms: count,
  next_start_at_ms: count,
  restarts: Count,
  /** By verdict; those of which there was none are left out. */
  exits: Schema.Record({ key: Schema.String, value: Count }),
  consecutive_failures: Count,
  /** Swap included. */
  memory_bytes: count,
  swap_bytes: count,
  peak_memory_bytes: count,
  memory_limit_bytes: count,
  processes: count,
  own_cgroup: perhaps(Schema.Boolean),
  last_output_at_ms: count,
  lines_dropped: Count,
  agent: perhaps(AgentMetrics),
  model: perhaps(Schema.String),
  /** The cost of the agent's whole work, over all its runs, and `max_budget`. */
  work_cost_micro_usd: count,
  budget_micro_usd: count,
  /** The windows of the plan that the agent has told, and when they begin anew. */
  limits: perhaps(Schema.Array(Schema.Struct({ name: Schema.String, resets_at_ms: Count })))
})
export type WorkerMetrics = typeof WorkerMetrics.Type

/** The answer to Metrics: all figures of one moment. Times are milliseconds since 1970. */
export const MetricsData = Schema.Struct({
  daemon: Schema.Struct({
    version: Schema.String,
    node: Schema.String,
    /** The id of the home. */
    home_id: Schema.String,
    started_at_ms: Count,
    cpu_ms: Count,
    resident_bytes: Count,
    open_fds: count,
    degraded: Schema.Array(Schema.String),
    events_lost: Count
  }),
  /** Absent until the first reading. */
  memory: perhaps(MemoryMetrics),
  hogs_ended: Schema.Array(HogsEnded),
  workers: Schema.Array(WorkerMetrics)
})
export type MetricsData = typeof MetricsData.Type
