import { verdictKinds } from "../verdict/ExitVerdict.ts"
import type { WorkerStatus } from "../worker/WorkerState.ts"
import { type MetricRow, oneOf, secondsOf, workerRow, workerRows } from "./MetricFamily.ts"

const states = Object.keys({
  stopped: true,
  starting: true,
  running: true,
  stopping: true,
  restarting: true,
  waiting: true,
  failed: true
} satisfies Readonly<Record<WorkerStatus, true>>)

/** The metrics of each project's worker. */
export const workerMetricRows: ReadonlyArray<MetricRow> = [
  workerRows(
    {
      name: "autopilotd_worker_state",
      kind: "gauge",
      help: "State of the worker: 1 for the present one, 0 for the others.",
      label: "state"
    },
    ({ state }) => oneOf(states, state)
  ),
  workerRow(
    {
      name: "autopilotd_worker_start_time_seconds",
      kind: "gauge",
      unit: "seconds",
      help: "Start of the running worker, in seconds since 1970."
    },
    ({ started_at_ms }) => secondsOf(started_at_ms)
  ),
  workerRow(
    {
      name: "autopilotd_worker_next_start_time_seconds",
      kind: "gauge",
      unit: "seconds",
      help: "Next automatic start of the worker, in seconds since 1970."
    },
    ({ next_start_at_ms }) => secondsOf(next_start_at_ms)
  ),
  workerRow(
    {
      name: "autopilotd_worker_restarts_total",
      kind: "counter",
      help: "Restarts of the worker since the start of the daemon."
    },
    ({ restarts }) => restarts
  ),
  workerRows(
    {
      name: "autopilotd_worker_exits_total",
      kind: "counter",
      help: "Exits of the worker since the start of the daemon, by verdict; not-started is a start that failed.",
      label: "verdict"
    },
    // A series that begins at 1 hides its first event from `increase()`, so that every verdict is there from the start.
    ({ exits }) => verdictKinds.map((kind) => [kind, exits[kind] ?? 0])
  ),
  workerRow(
    {
      name: "autopilotd_worker_consecutive_failures",
      kind: "gauge",
      help: "Failures of the worker in a row."
    },
    ({ consecutive_failures }) => consecutive_failures
  ),
  workerRow(
    {
      name: "autopilotd_worker_memory_bytes",
      kind: "gauge",
      unit: "bytes",
      help: "Memory of the worker's process tree, swap included."
    },
    ({ memory_bytes }) => memory_bytes
  ),
  workerRow(
    {
      name: "autopilotd_worker_swap_bytes",
      kind: "gauge",
      unit: "bytes",
      help: "The part of the worker's memory that is in swap."
    },
    ({ swap_bytes }) => swap_bytes
  ),
  workerRow(
    {
      name: "autopilotd_worker_memory_peak_bytes",
      kind: "gauge",
      unit: "bytes",
      help: "Largest sample of the worker's memory in this run."
    },
    ({ peak_memory_bytes }) => peak_memory_bytes
  ),
  workerRow(
    {
      name: "autopilotd_worker_memory_limit_bytes",
      kind: "gauge",
      unit: "bytes",
      help: "Memory above which the daemon restarts the worker."
    },
    ({ memory_limit_bytes }) => memory_limit_bytes
  ),
  workerRow(
    {
      name: "autopilotd_worker_processes",
      kind: "gauge",
      help: "Processes of the worker's process tree."
    },
    ({ processes }) => processes
  ),
  workerRow(
    {
      name: "autopilotd_worker_own_cgroup",
      kind: "gauge",
      help: "Whether the worker runs in a cgroup of its own: 1 or 0."
    },
    ({ own_cgroup }) => (own_cgroup === undefined ? undefined : Number(own_cgroup))
  ),
  workerRow(
    {
      name: "autopilotd_worker_last_output_time_seconds",
      kind: "gauge",
      unit: "seconds",
      help: "Last output of the running worker, in seconds since 1970; its start before the first output."
    },
    ({ last_output_at_ms }) => secondsOf(last_output_at_ms)
  ),
  workerRow(
    {
      name: "autopilotd_worker_output_lines_dropped_total",
      kind: "counter",
      help: "Lines of output that the worker's log lacks because the disk did not take them in time."
    },
    ({ lines_dropped }) => lines_dropped
  )
]
