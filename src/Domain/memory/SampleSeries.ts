/** The size of the machine's memory and the thresholds at one moment. */
export interface SampleLimits {
  readonly totalBytes: number
  readonly lowBytes: number
  readonly criticalBytes: number
}

/** One sample of the memory of the machine and of the workers. */
export interface TimelineSample {
  readonly atMs: number
  readonly availableBytes: number
  readonly limits: SampleLimits
  /** The memory of each running worker's process tree, by project. */
  readonly trees: ReadonlyMap<string, number>
}

/** All samples of a span of time as one: the least available, and the most of each tree. `atMs` is where it begins. */
export type Bucket = TimelineSample

/** Buckets of one width, the oldest first. */
export interface Tier {
  readonly widthMs: number
  /** The greatest number of buckets. */
  readonly size: number
  readonly closed: ReadonlyArray<Bucket>
  /** The bucket of the last sample. Undefined before the first sample of this daemon. */
  readonly open: Bucket | undefined
}

/** The memory of the last hour in steps of ten seconds, and of the last day in minutes. Its size is bounded. */
export interface SampleSeries {
  readonly fine: Tier
  readonly coarse: Tier
  /** The last sample of this daemon. */
  readonly last: TimelineSample | undefined
}

const minuteMs = 60_000

/** Each tier has a little more than its span, because a span seldom begins at a bucket. */
export const noSeries: SampleSeries = {
  fine: { widthMs: 10_000, size: 366, closed: [], open: undefined },
  coarse: { widthMs: minuteMs, size: 1446, closed: [], open: undefined },
  last: undefined
}

/** A sample stays in force until the next one, for at most this time: a machine that slept has a gap. */
const maxInForceMs = 2 * minuteMs

/** The greater amount of each project. */
export const withMost = (
  trees: ReadonlyMap<string, number>,
  more: ReadonlyMap<string, number>
): ReadonlyMap<string, number> => {
  const larger = [...more].filter(([project, bytes]) => bytes > (trees.get(project) ?? -1))
  return larger.length === 0 ? trees : new Map([...trees, ...larger])
}

export const isSameLimits = (one: SampleLimits, other: SampleLimits): boolean =>
  one === other ||
  (one.totalBytes === other.totalBytes &&
    one.lowBytes === other.lowBytes &&
    one.criticalBytes === other.criticalBytes)

/** Returns the bucket itself when the sample changes nothing, which is the rule. */
export const combined = (bucket: Bucket, sample: TimelineSample): Bucket => {
  const trees = withMost(bucket.trees, sample.trees)
  const limits = isSameLimits(bucket.limits, sample.limits) ? bucket.limits : sample.limits
  return trees === bucket.trees && limits === bucket.limits && sample.availableBytes >= bucket.availableBytes
    ? bucket
    : {
        atMs: bucket.atMs,
        availableBytes: Math.min(bucket.availableBytes, sample.availableBytes),
        limits,
        trees
      }
}

/** A new bucket with this sample. Limits and trees that do not change are shared: most buckets of a night are alike. */
const begun = (sample: TimelineSample, atMs: number, before: Bucket | undefined): Bucket => {
  if (before === undefined) return { ...sample, atMs }
  const isSameTrees =
    before.trees.size === sample.trees.size &&
    [...sample.trees].every(([project, bytes]) => before.trees.get(project) === bytes)
  return {
    atMs,
    availableBytes: sample.availableBytes,
    limits: isSameLimits(before.limits, sample.limits) ? before.limits : sample.limits,
    trees: isSameTrees ? before.trees : sample.trees
  }
}

/** The beginning of the bucket that a time falls into. */
export const bucketOf = (atMs: number, widthMs: number): number => Math.floor(atMs / widthMs) * widthMs

/** Adds a sample to one tier. A clock that was set back ends what lies ahead of it: the order is kept. */
const withOne = (tier: Tier, sample: TimelineSample): Tier => {
  const { open, size, widthMs } = tier
  const atMs = bucketOf(sample.atMs, widthMs)
  if (open?.atMs === atMs) {
    const next = combined(open, sample)
    return next === open ? tier : { ...tier, open: next }
  }
  const all = open === undefined ? tier.closed : [...tier.closed, open]
  const isAhead = (all.at(-1)?.atMs ?? atMs - 1) >= atMs
  const before = isAhead ? all.filter((bucket) => bucket.atMs < atMs) : all
  const same = isAhead ? all.find((bucket) => bucket.atMs === atMs) : undefined
  const next = same === undefined ? begun(sample, atMs, before.at(-1)) : combined(same, sample)
  return { ...tier, closed: before.slice(-(size - 1)), open: next }
}

/** Adds a sample to one tier, and the sample before it to all buckets between the two. */
const withNext = (tier: Tier, sample: TimelineSample, last: TimelineSample | undefined): Tier => {
  let next = tier
  if (last !== undefined && sample.atMs - last.atMs <= maxInForceMs)
    for (
      let atMs = bucketOf(last.atMs, tier.widthMs) + tier.widthMs;
      atMs < bucketOf(sample.atMs, tier.widthMs);
      atMs += tier.widthMs
    )
      next = withOne(next, { ...last, atMs })
  return withOne(next, sample)
}

/** Adds a sample. */
export const withSample = ({ coarse, fine, last }: SampleSeries, sample: TimelineSample): SampleSeries => ({
  fine: withNext(fine, sample, last),
  coarse: withNext(coarse, sample, last),
  last: sample
})

/** Whether a sample of the machine leaves all as it is: its bucket has begun, and knows less available memory. */
export const isCovered = (
  { fine: { open, widthMs } }: SampleSeries,
  { atMs, availableBytes, limits }: Omit<TimelineSample, "trees">
): boolean =>
  open?.atMs === bucketOf(atMs, widthMs) &&
  open.availableBytes <= availableBytes &&
  isSameLimits(open.limits, limits)

/** The oldest first. */
export const bucketsOf = ({ closed, open }: Tier): ReadonlyArray<Bucket> =>
  open === undefined ? closed : [...closed, open]

const continued = (older: Tier, newer: Tier): Tier => {
  const [first, ...rest] = bucketsOf(newer)
  if (first === undefined) return { ...older, open: undefined }
  const all = bucketsOf(older)
  const same = all.find(({ atMs }) => atMs === first.atMs)
  const joined = [
    ...all.filter(({ atMs }) => atMs < first.atMs),
    same === undefined ? first : combined(same, first),
    ...rest
  ].slice(-newer.size)
  return { ...newer, closed: joined.slice(0, -1), open: joined.at(-1) }
}

/** The series that an earlier daemon saved, for this one to continue. */
export const afterRestart = (older: SampleSeries, newer: SampleSeries): SampleSeries => ({
  fine: continued(older.fine, newer.fine),
  coarse: continued(older.coarse, newer.coarse),
  last: newer.last
})
