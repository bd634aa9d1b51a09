import { agentMetricRows } from "./AgentMetricRows.ts"
import { daemonMetricRows } from "./DaemonMetricRows.ts"
import type { MetricFamily, MetricHead, MetricRow, MetricSample } from "./MetricFamily.ts"
import type { MetricsData } from "./MetricsData.ts"
import { workerMetricRows } from "./WorkerMetricRows.ts"

const up = {
  name: "autopilotd_up",
  kind: "gauge",
  help: "Whether the daemon has answered: 1 or 0.",
  labels: []
} as const

const rows: ReadonlyArray<MetricRow> = [...daemonMetricRows, ...workerMetricRows, ...agentMetricRows]

/** The table of metrics without their values. */
export const metricHeads: ReadonlyArray<MetricHead> = [up, ...rows]

/** Half of a surrogate pair, which UTF-8 cannot write. */
const halves = /\p{Cs}/gu

/**
 * The first of all samples with equal labels. Neither promtool nor Prometheus finds a second one, and names that the daemon
 * or the agent tells may be equal once they are UTF-8.
 */
const distinct = (samples: ReadonlyArray<MetricSample>): ReadonlyArray<MetricSample> => {
  const byLabels = new Map<string, MetricSample>()
  for (const { labels, value } of samples) {
    const encodable = labels.map(([name, text]) => [name, text.replace(halves, "\ufffd")] as const)
    const key = JSON.stringify(encodable)
    if (!byLabels.has(key)) byLabels.set(key, { labels: encodable, value })
  }
  return [...byLabels.values()]
}

/** All metrics of one moment; undefined: the daemon has not answered. A family without samples is left out. */
export const metricFamilies = (data: MetricsData | undefined): ReadonlyArray<MetricFamily> => [
  { ...up, samples: [{ labels: [], value: data === undefined ? 0 : 1 }] },
  ...(data === undefined
    ? []
    : rows.flatMap(({ samplesOf, ...head }) => {
        const samples = distinct(samplesOf(data))
        return samples.length === 0 ? [] : [{ ...head, samples }]
      }))
]
