import type { OutletCount, RelayCounts } from "../metrics/RelayMetrics.ts"
import type { RelaySettings } from "./RelaySettings.ts"

/** The name of the outlet that sends the metrics to an OTLP receiver. */
export const otlpOutlet = "otlp"

/** The name of the outlet that is a channel of notifications. */
export const channelOutlet = (channel: string): string => `notify.to.${channel}`

/** The attempts of all outlets since the start of the relay, in milliseconds since 1970. */
export interface OutletCounts {
  readonly sinceMs: number
  /** Without the outlets that have attempted nothing. */
  readonly byOutlet: ReadonlyMap<string, OutletCount>
}

const nothingYet: OutletCount = { worked: 0, failed: 0 }

/** The counts after one more attempt. */
export const withAttempt = (count: OutletCount = nothingYet, isWorking: boolean): OutletCount =>
  isWorking ? { ...count, worked: count.worked + 1 } : { ...count, failed: count.failed + 1 }

/** The counts that a relay with these settings shows. */
export const relayCountsOf = (
  { notify, otlp }: RelaySettings,
  { byOutlet, sinceMs }: OutletCounts
): RelayCounts => ({
  sinceMs,
  channels: Object.keys(notify?.to ?? {}).map((channel) => ({
    channel,
    ...(byOutlet.get(channelOutlet(channel)) ?? nothingYet)
  })),
  exports: otlp === undefined ? undefined : (byOutlet.get(otlpOutlet) ?? nothingYet)
})
