import type { MetricsData, WorkerMetrics } from "./MetricsData.ts"

/** A value with the labels that tell it from the others of its family. */
export interface MetricSample {
  readonly labels: ReadonlyArray<readonly [name: string, value: string]>
  readonly value: number
}

/** What a family is, whatever its values are. */
export interface MetricHead {
  /** As Prometheus writes it, with the unit, and with `_total` for a counter. */
  readonly name: string
  readonly kind: "gauge" | "counter"
  /** The last word of the name, but for `_total`; undefined for a number of things. */
  readonly unit?: "seconds" | "bytes" | "ratio" | "usd"
  /** One sentence. It never changes at run time: two homes in one file must agree on it. */
  readonly help: string
  readonly labels: ReadonlyArray<string>
}

/** All samples of one name. No two have the same labels. */
export interface MetricFamily extends MetricHead {
  /** When its counters began, in milliseconds since 1970; absent where that is the start of the daemon. */
  readonly sinceMs?: number
  readonly samples: ReadonlyArray<MetricSample>
}

/** One row of the table of metrics. */
export interface MetricRow extends MetricHead {
  readonly samplesOf: (data: MetricsData) => ReadonlyArray<MetricSample>
}

/** The figure of one sample; a figure that is not known gives none. */
type Figure = number | undefined

export const sampleOf = (
  value: Figure,
  ...labels: ReadonlyArray<readonly [name: string, value: string]>
): ReadonlyArray<MetricSample> => (value === undefined ? [] : [{ labels, value }])

/** A row of the daemon or the machine, without labels. */
export const row = (
  head: Omit<MetricHead, "labels">,
  figureOf: (data: MetricsData) => Figure
): MetricRow => ({ ...head, labels: [], samplesOf: (data) => sampleOf(figureOf(data)) })

/** A row of each project. */
export const workerRow = (
  head: Omit<MetricHead, "labels">,
  figureOf: (worker: WorkerMetrics) => Figure
): MetricRow => ({
  ...head,
  labels: ["project"],
  samplesOf: ({ workers }) =>
    workers.flatMap((worker) => sampleOf(figureOf(worker), ["project", worker.project]))
})

/** A row of each project with a sample for each value of one more label. */
export const workerRows = (
  head: Omit<MetricHead, "labels"> & { readonly label: string },
  figuresOf: (worker: WorkerMetrics) => ReadonlyArray<readonly [value: string, figure: Figure]>
): MetricRow => {
  const { label, ...rest } = head
  return {
    ...rest,
    labels: ["project", label],
    samplesOf: ({ workers }) =>
      workers.flatMap((worker) =>
        figuresOf(worker).flatMap(([value, figure]) =>
          sampleOf(figure, ["project", worker.project], [label, value])
        )
      )
  }
}

/** 1 for the value that holds, 0 for all others of a known set. */
export const oneOf = (
  values: ReadonlyArray<string>,
  present: string | undefined
): ReadonlyArray<readonly [value: string, figure: number]> =>
  values.map((value) => [value, value === present ? 1 : 0])

/** Seconds, where the wire has milliseconds. */
export const secondsOf = (ms: Figure): Figure => (ms === undefined ? undefined : ms / 1000)

/** US dollars, where the wire has millionths. */
export const usdOf = (micro: Figure): Figure => (micro === undefined ? undefined : micro / 1e6)
