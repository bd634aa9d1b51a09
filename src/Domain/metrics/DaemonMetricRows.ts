import type { MemoryLevel } from "../memory/MemoryLevel.ts"
import { type MetricRow, oneOf, row, sampleOf, secondsOf } from "./MetricFamily.ts"
import type { MetricsData } from "./MetricsData.ts"

/** A share that the wire has in thousandths. */
const shareOf = (perMille: number | undefined) => (perMille === undefined ? undefined : perMille / 1000)

const levels = Object.keys({
  plentiful: true,
  low: true,
  critical: true
} satisfies Readonly<Record<MemoryLevel, true>>)

const hogKinds = ["leftover", "orphan", "hog"] as const
const hogSignals = ["SIGTERM", "SIGKILL"] as const

const hogSamples = ({ hogs_ended }: MetricsData) =>
  hogKinds.flatMap((kind) =>
    hogSignals.flatMap((signal) => {
      const found = hogs_ended.find((one) => one.kind === kind && one.signal === signal)
      return sampleOf(found?.count ?? 0, ["kind", kind], ["signal", signal])
    })
  )

/** The metrics of the daemon and of the machine's memory. */
export const daemonMetricRows: ReadonlyArray<MetricRow> = [
  {
    name: "autopilotd_build_info",
    kind: "gauge",
    help: "The version of the daemon and of its Node, always 1.",
    labels: ["version", "node"],
    samplesOf: ({ daemon: { node, version } }) => sampleOf(1, ["version", version], ["node", node])
  },
  row(
    {
      name: "autopilotd_daemon_start_time_seconds",
      kind: "gauge",
      unit: "seconds",
      help: "Start of the daemon, in seconds since 1970."
    },
    ({ daemon }) => secondsOf(daemon.started_at_ms)
  ),
  row(
    {
      name: "autopilotd_daemon_cpu_seconds_total",
      kind: "counter",
      unit: "seconds",
      help: "CPU time that the daemon itself has used."
    },
    ({ daemon }) => secondsOf(daemon.cpu_ms)
  ),
  row(
    {
      name: "autopilotd_daemon_resident_memory_bytes",
      kind: "gauge",
      unit: "bytes",
      help: "Resident memory of the daemon itself."
    },
    ({ daemon }) => daemon.resident_bytes
  ),
  row(
    {
      name: "autopilotd_daemon_open_fds",
      kind: "gauge",
      help: "Open file descriptors of the daemon itself."
    },
    ({ daemon }) => daemon.open_fds
  ),
  {
    name: "autopilotd_degraded",
    kind: "gauge",
    help: "Part of the daemon that has failed and is being restarted: 1 while that lasts, else absent.",
    labels: ["concern"],
    samplesOf: ({ daemon }) => daemon.degraded.flatMap((concern) => sampleOf(1, ["concern", concern]))
  },
  row(
    {
      name: "autopilotd_events_lost_total",
      kind: "counter",
      help: "Events that the history lacks because the disk did not take them in time."
    },
    ({ daemon }) => daemon.events_lost
  ),
  row(
    {
      name: "autopilotd_memory_available_bytes",
      kind: "gauge",
      unit: "bytes",
      help: "Available memory as the daemon sees it: of the machine, or of the cgroup whose limit binds."
    },
    ({ memory }) => memory?.available_bytes
  ),
  row(
    {
      name: "autopilotd_memory_total_bytes",
      kind: "gauge",
      unit: "bytes",
      help: "Total memory as the daemon sees it: of the machine, or of the cgroup whose limit binds."
    },
    ({ memory }) => memory?.total_bytes
  ),
  row(
    {
      name: "autopilotd_memory_low_threshold_bytes",
      kind: "gauge",
      unit: "bytes",
      help: "Available memory below which memory is low."
    },
    ({ memory }) => memory?.low_threshold_bytes
  ),
  row(
    {
      name: "autopilotd_memory_critical_threshold_bytes",
      kind: "gauge",
      unit: "bytes",
      help: "Available memory below which memory is critical."
    },
    ({ memory }) => memory?.critical_threshold_bytes
  ),
  {
    name: "autopilotd_memory_level",
    kind: "gauge",
    help: "Level of available memory: 1 for the present one, 0 for the others.",
    labels: ["level"],
    samplesOf: ({ memory }) =>
      memory === undefined
        ? []
        : oneOf(levels, memory.level).flatMap(([level, value]) => sampleOf(value, ["level", level]))
  },
  {
    name: "autopilotd_memory_pressure_ratio",
    kind: "gauge",
    unit: "ratio",
    help: "Share of time in which some, or all, processes waited for memory (PSI).",
    labels: ["kind"],
    samplesOf: ({ memory }) => [
      ...sampleOf(shareOf(memory?.pressure_some_per_mille), ["kind", "some"]),
      ...sampleOf(shareOf(memory?.pressure_full_per_mille), ["kind", "full"])
    ]
  },
  {
    name: "autopilotd_hogs_ended_total",
    kind: "counter",
    help: "Signals to processes that the memory guard killed.",
    labels: ["kind", "signal"],
    samplesOf: hogSamples
  }
]
