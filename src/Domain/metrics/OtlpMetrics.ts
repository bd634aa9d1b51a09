import type { MetricFamily, MetricHead, MetricSample } from "./MetricFamily.ts"

/** The request to an OTLP receiver, as JSON: https://opentelemetry.io/docs/specs/otlp. Integers of 64 bits are strings. */
interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue: string }
}

interface DataPoint {
  readonly attributes: ReadonlyArray<Attribute>
  readonly startTimeUnixNano: string
  readonly timeUnixNano: string
  readonly asDouble: number
}

interface Points {
  readonly dataPoints: ReadonlyArray<DataPoint>
}

interface Metric {
  readonly name: string
  readonly description: string
  readonly unit: string
  readonly gauge?: Points
  readonly sum?: Points & { readonly aggregationTemporality: number; readonly isMonotonic: boolean }
}

export interface OtlpRequest {
  readonly resourceMetrics: ReadonlyArray<{
    readonly resource: { readonly attributes: ReadonlyArray<Attribute> }
    readonly scopeMetrics: ReadonlyArray<{
      readonly scope: { readonly name: string }
      readonly metrics: ReadonlyArray<Metric>
    }>
  }>
}

/** When and of whom the metrics are. */
interface OtlpSource {
  /** `service.name` and the like. */
  readonly resource: Readonly<Record<string, string>>
  /** The start of the daemon's counters, and now, in milliseconds since 1970. */
  readonly startMs: number
  readonly nowMs: number
}

/** Prometheus makes its suffixes of these again; a unit in braces gives none, so that the name keeps it. */
const units = {
  seconds: { unit: "s", isInName: false },
  bytes: { unit: "By", isInName: false },
  ratio: { unit: "1", isInName: false },
  usd: { unit: "{USD}", isInName: true }
} as const satisfies Record<NonNullable<MetricHead["unit"]>, unknown>

/** `autopilotd.worker.memory_peak`: dots for the first two underscores, neither `_total` nor the unit. */
const nameOf = ({ kind, name, unit }: MetricHead): string => {
  const counted = kind === "counter" ? name.replace(/_total$/, "") : name
  const bare = unit === undefined || units[unit].isInName ? counted : counted.slice(0, -unit.length - 1)
  return bare.replace("_", ".").replace("_", ".")
}

const attributesOf = (pairs: ReadonlyArray<readonly [string, string]>): ReadonlyArray<Attribute> =>
  pairs.map(([key, stringValue]) => ({ key, value: { stringValue } }))

const nanos = (ms: number): string => String(BigInt(Math.round(ms)) * 1_000_000n)

const cumulative = 2

const metricOf = (family: MetricFamily, { nowMs, startMs }: OtlpSource): Metric => {
  const dataPoints = family.samples.map(
    ({ labels, value }: MetricSample): DataPoint => ({
      attributes: attributesOf(labels),
      startTimeUnixNano: nanos(family.sinceMs ?? startMs),
      timeUnixNano: nanos(nowMs),
      asDouble: value
    })
  )
  return {
    name: nameOf(family),
    description: family.help,
    unit: family.unit === undefined ? "" : units[family.unit].unit,
    ...(family.kind === "gauge"
      ? { gauge: { dataPoints } }
      : { sum: { dataPoints, aggregationTemporality: cumulative, isMonotonic: true } })
  }
}

/** The families as a request to an OTLP receiver. Counters are cumulative: Prometheus refuses differences. */
export const otlpMetrics = (families: ReadonlyArray<MetricFamily>, source: OtlpSource): OtlpRequest => ({
  resourceMetrics: [
    {
      resource: { attributes: attributesOf(Object.entries(source.resource)) },
      scopeMetrics: [
        {
          scope: { name: "autopilotd" },
          metrics: families.map((family) => metricOf(family, source))
        }
      ]
    }
  ]
})
