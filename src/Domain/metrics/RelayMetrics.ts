import type { MetricFamily, MetricHead, MetricSample } from "./MetricFamily.ts"

/** The counts of the relay since its start. A part that its settings do not switch on is absent. */
export interface RelayCounts {
  /** In milliseconds since 1970. */
  readonly sinceMs: number
  readonly channels: ReadonlyArray<{ readonly channel: string } & OutletCount>
  readonly exports: OutletCount | undefined
}

/** The attempts of one outlet since the start of its relay. */
export interface OutletCount {
  readonly worked: number
  readonly failed: number
}

const sent: MetricHead = {
  name: "autopilotd_notifications_sent_total",
  kind: "counter",
  help: "Notifications that their channel has taken since the start of the relay.",
  labels: ["channel"]
}

const failed: MetricHead = {
  name: "autopilotd_notifications_failed_total",
  kind: "counter",
  help: "Attempts to send a notification that have failed since the start of the relay.",
  labels: ["channel"]
}

const exportsFailed: MetricHead = {
  name: "autopilotd_otlp_exports_failed_total",
  kind: "counter",
  help: "Exports to the OTLP receiver that have failed since the start of the relay.",
  labels: []
}

const scrapeDuration: MetricHead = {
  name: "autopilotd_scrape_duration_seconds",
  kind: "gauge",
  unit: "seconds",
  help: "Time that the daemon took to answer this scrape.",
  labels: []
}

/** The metrics that only a relay has, without their values. */
export const relayMetricHeads: ReadonlyArray<MetricHead> = [sent, failed, exportsFailed, scrapeDuration]

/** The counters of the relay. Each channel of the settings has its series from the start on. */
export const relayFamilies = ({ channels, exports, sinceMs }: RelayCounts): ReadonlyArray<MetricFamily> => {
  const samplesOf = (figureOf: (count: OutletCount) => number): ReadonlyArray<MetricSample> =>
    channels.map((one) => ({ labels: [["channel", one.channel]], value: figureOf(one) }))
  return [
    { ...sent, sinceMs, samples: samplesOf(({ worked }) => worked) },
    { ...failed, sinceMs, samples: samplesOf((count) => count.failed) },
    {
      ...exportsFailed,
      sinceMs,
      samples: exports === undefined ? [] : [{ labels: [], value: exports.failed }]
    }
  ].filter(({ samples }) => samples.length > 0)
}

/** The time that the daemon took to answer a scrape, or did not. */
export const scrapeFamily = (seconds: number): MetricFamily => ({
  ...scrapeDuration,
  samples: [{ labels: [], value: seconds }]
})
