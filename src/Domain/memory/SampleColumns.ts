import {
  type Bucket,
  bucketOf,
  bucketsOf,
  combined,
  isSameLimits,
  noSeries,
  type SampleLimits,
  type SampleSeries,
  type Tier,
  withMost
} from "./SampleSeries.ts"
import type { SamplesData, SavedSamples } from "./SamplesData.ts"

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** An answer has the projects that held the most, at most this many, so that it stays small. */
const maxTrees = 24

const columns = (buckets: ReadonlyArray<Bucket>, widthMs: number, project?: string): SamplesData => {
  const peaks = buckets.reduce<ReadonlyMap<string, number>>(
    (found, { trees }) => withMost(found, trees),
    new Map()
  )
  const shown =
    project === undefined
      ? [...peaks]
          .toSorted(([, one], [, other]) => other - one)
          .slice(0, maxTrees)
          .map(([name]) => name)
      : [project]
  return {
    width_ms: widthMs,
    at_ms: buckets.map(({ atMs }) => atMs),
    available_bytes: buckets.map(({ availableBytes }) => availableBytes),
    limits: buckets.flatMap(({ atMs, limits }, at) => {
      const before = buckets[at - 1]
      return before !== undefined && isSameLimits(before.limits, limits)
        ? []
        : [
            {
              at_ms: atMs,
              total_bytes: limits.totalBytes,
              low_bytes: limits.lowBytes,
              critical_bytes: limits.criticalBytes
            }
          ]
    }),
    trees: Object.fromEntries(
      shown.map((name) => [name, buckets.map(({ trees }) => trees.get(name) ?? null)])
    )
  }
}

export interface SamplesQuestion {
  /** The oldest time, in milliseconds since 1970; at most a day ago. Absent: an hour ago. */
  readonly sinceMs?: number | undefined
  /** Absent: all projects. */
  readonly project?: string | undefined
}

/** The widths of rows: for a quarter of an hour, for one hour, six hours and a day. */
const rowWidths = { fine: [10_000, 20_000], coarse: [60_000, 120_000, 300_000] } as const

/** About the greatest number of rows of an answer: more points than a chart has pixels would say nothing. */
const maxRows = 290

/** The rows since a time. The bucket that still changes is left out, so that an answer is the same until it is full. */
export const samplesSince = (
  series: SampleSeries,
  { project, sinceMs }: SamplesQuestion,
  nowMs: number
): SamplesData => {
  const beginMs = Math.max(sinceMs ?? nowMs - hourMs, nowMs - dayMs - 5 * minuteMs)
  const spanMs = nowMs - beginMs
  const name = spanMs <= hourMs + minuteMs ? "fine" : "coarse"
  const tier = series[name]
  const widthMs = rowWidths[name].find((width) => spanMs / width <= maxRows) ?? tier.widthMs
  const rows: Array<Bucket> = []
  for (const bucket of bucketsOf(tier)) {
    const endMs = bucket.atMs + tier.widthMs
    if (endMs <= beginMs || endMs > nowMs) continue
    const atMs = bucketOf(bucket.atMs, widthMs)
    const row = rows.at(-1)
    if (row?.atMs === atMs) rows[rows.length - 1] = combined(row, bucket)
    else rows.push({ ...bucket, atMs })
  }
  return columns(rows, widthMs, project)
}

/** The series as a file keeps it. */
export const savedSamples = ({ coarse, fine }: SampleSeries): SavedSamples => ({
  version: 1,
  fine: columns(bucketsOf(fine), fine.widthMs),
  coarse: columns(bucketsOf(coarse), coarse.widthMs)
})

const tierOf = (empty: Tier, data: SamplesData): Tier | undefined => {
  const { at_ms: times, available_bytes: available, limits, trees } = data
  const lists = [available, ...Object.values(trees)]
  const isInOrder = times.every((at, n) => at % empty.widthMs === 0 && at > (times[n - 1] ?? -1))
  const isWhole =
    data.width_ms === empty.widthMs &&
    isInOrder &&
    lists.every(({ length }) => length === times.length) &&
    limits[0]?.at_ms === times[0]
  if (!isWhole) return undefined
  let next = 0
  let inForce: SampleLimits = { totalBytes: 0, lowBytes: 0, criticalBytes: 0 }
  const named = Object.entries(trees)
  const closed = times.map((atMs, at): Bucket => {
    for (let limit = limits[next]; limit !== undefined && limit.at_ms <= atMs; limit = limits[++next])
      inForce = {
        totalBytes: limit.total_bytes,
        lowBytes: limit.low_bytes,
        criticalBytes: limit.critical_bytes
      }
    const held = named.flatMap(([name, bytes]) => {
      const amount = bytes[at]
      return amount === null || amount === undefined ? [] : [[name, amount] as const]
    })
    return { atMs, availableBytes: available[at] ?? 0, limits: inForce, trees: new Map(held) }
  })
  return { ...empty, closed: closed.slice(-empty.size) }
}

/** The series of a file; undefined when its columns do not fit together. */
export const seriesOf = (saved: SavedSamples): SampleSeries | undefined => {
  const fine = tierOf(noSeries.fine, saved.fine)
  const coarse = tierOf(noSeries.coarse, saved.coarse)
  return fine === undefined || coarse === undefined ? undefined : { fine, coarse, last: undefined }
}
