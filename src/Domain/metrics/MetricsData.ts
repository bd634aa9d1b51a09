import * as Schema from "effect/Schema"
import { MemoryLevel } from "../memory/MemoryLevel.ts"
import { Count, field, MicroDollars, Moment, perhaps } from "../Wire.ts"
import { WorkerStatus } from "../worker/WorkerState.ts"

const count = (description: string) => perhaps(Count, description)
const figure = (description: string) => field(Count, description)
const cost = (description: string) => perhaps(MicroDollars, description)
const time = (description: string) => perhaps(Moment, description)

/** Signals to processes of one kind since the start of the daemon. */
const HogsEnded = Schema.Struct({
  kind: field(Schema.Literal("leftover", "orphan", "hog"), "Why they were killed"),
  signal: field(Schema.Literal("SIGTERM", "SIGKILL"), "The signal"),
  count: figure("How many were sent")
})

/** The memory as the daemon sees it, in its cgroup. */
const MemoryMetrics = Schema.Struct({
  available_bytes: figure("What the machine, or the cgroup that binds, has left"),
  total_bytes: figure("What it has in all"),
  low_threshold_bytes: figure("Below this much available memory it is low"),
  critical_threshold_bytes: figure("Below this much available memory it is critical"),
  level: field(MemoryLevel, "The level of the available memory"),
  pressure_some_per_mille: count("The share of time in which some processes waited for memory (PSI)"),
  pressure_full_per_mille: count("The share of time in which all processes waited for memory")
})

/** The counters of an agent are those of this daemon's run: its ended runs and the one that goes on. */
const AgentMetrics = Schema.Struct({
  turns: figure("Answers of the agent itself since the start of the daemon"),
  messages: figure("Its messages, those of subagents included"),
  tool_calls: figure("Its calls of tools, those of subagents included"),
  input_tokens: count("Absent, as the next ones, where the agent tells none"),
  output_tokens: count("The tokens that the answers have"),
  cache_read_tokens: count("The tokens that were read from the cache"),
  cache_creation_tokens: count("The tokens that were put into the cache"),
  cost_micro_usd: cost("Its cost since the start of the daemon; the last answers are an estimate")
})

/** One project and its worker. */
const WorkerMetrics = Schema.Struct({
  project: field(Schema.String, "The name of the project"),
  state: field(WorkerStatus, "The state of the worker"),
  started_at_ms: time("Absent while no worker runs, as all figures of its process tree"),
  next_start_at_ms: time("The time of the next automatic start"),
  restarts: figure("Since the start of the daemon"),
  exits: field(
    Schema.Record({ key: Schema.String, value: Count }),
    "The number by verdict; those of which there was none are left out"
  ),
  consecutive_failures: figure("Failures in a row, which the backoff counts"),
  memory_bytes: count("The memory of the process tree, swap included"),
  swap_bytes: count("The part of it that is in swap"),
  peak_memory_bytes: count("The largest sample of this run"),
  memory_limit_bytes: count("The limit above which the daemon restarts the worker"),
  processes: count("The size of the process tree"),
  own_cgroup: perhaps(Schema.Boolean, "Whether the worker runs in a cgroup of its own"),
  last_output_at_ms: time("The last output of the running worker; its start before the first output"),
  lines_dropped: figure("Lines that the worker's log lacks because the disk did not take them in time"),
  agent: perhaps(AgentMetrics, "The counters of its agent"),
  model: perhaps(Schema.String, "The model of the agent's present or last run"),
  work_cost_micro_usd: cost("The cost of the agent's whole work, over all its runs"),
  budget_micro_usd: cost("`max_budget`"),
  limits: perhaps(
    Schema.Array(
      Schema.Struct({
        name: field(Schema.String, "The name of the window, such as `five_hour`"),
        resets_at_ms: field(Moment, "When the window begins anew")
      })
    ),
    "The windows of the plan that the agent has told"
  )
})
export type WorkerMetrics = typeof WorkerMetrics.Type

/** The answer to Metrics: all figures of one moment. Times are milliseconds since 1970. */
export const MetricsData = Schema.Struct({
  daemon: field(
    Schema.Struct({
      version: field(Schema.String, "The version of the daemon"),
      node: field(Schema.String, "The version of its Node"),
      home_id: field(Schema.String, "The id of the home"),
      started_at_ms: field(Moment, "The start of the daemon"),
      cpu_ms: figure("CPU time that the daemon itself has used"),
      resident_bytes: figure("Resident memory of the daemon itself"),
      open_fds: count("Open file descriptors of the daemon itself"),
      degraded: field(Schema.Array(Schema.String), "Parts that have failed and are being restarted"),
      events_lost: figure("Events that the history lacks because the disk did not take them in time")
    }),
    "The daemon itself"
  ),
  memory: perhaps(MemoryMetrics, "Absent until the first reading"),
  hogs_ended: field(Schema.Array(HogsEnded), "Signals to processes that the memory guard killed"),
  workers: field(Schema.Array(WorkerMetrics), "Each project")
})
export type MetricsData = typeof MetricsData.Type
