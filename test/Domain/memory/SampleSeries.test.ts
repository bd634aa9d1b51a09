import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { samplesSince, savedSamples, seriesOf } from "../../../src/Domain/memory/SampleColumns.ts"
import {
  afterRestart,
  isCovered,
  noSeries,
  type SampleSeries,
  type TimelineSample,
  withSample
} from "../../../src/Domain/memory/SampleSeries.ts"

const limits = { totalBytes: 16e9, lowBytes: 2e9, criticalBytes: 1e9 }
const start = 1_790_000_000_000 - (1_790_000_000_000 % 3_600_000)
const minute = 60_000
const hour = 60 * minute

const sample = (
  atMs: number,
  availableBytes: number,
  trees: Record<string, number> = {}
): TimelineSample => ({
  atMs,
  availableBytes,
  limits,
  trees: new Map(Object.entries(trees))
})

const seriesFrom = (samples: ReadonlyArray<TimelineSample>, before: SampleSeries = noSeries) =>
  samples.reduce(withSample, before)

const restarted = (series: SampleSeries): SampleSeries => {
  const read = seriesOf(JSON.parse(JSON.stringify(savedSamples(series))))
  assert.isDefined(read)
  return read ?? noSeries
}

/** Samples of a clock that mostly goes on, and sometimes sleeps or is set back. */
const Samples = FastCheck.array(
  FastCheck.record({
    stepMs: FastCheck.oneof(
      FastCheck.integer({ min: 50, max: 20_000 }),
      FastCheck.integer({ min: -200_000, max: 4_000_000 })
    ),
    availableBytes: FastCheck.nat(16e9),
    tree: FastCheck.option(FastCheck.nat(8e9), { nil: undefined })
  }),
  { minLength: 1, maxLength: 300 }
).map((steps) => {
  let atMs = start
  return steps.map(({ availableBytes, stepMs, tree }) => {
    atMs += stepMs
    return sample(atMs, availableBytes, tree === undefined ? {} : { shop: tree })
  })
})

const isAscending = (times: ReadonlyArray<number>) => times.every((at, n) => at > (times[n - 1] ?? -1))

describe("the memory timeline", () => {
  it("keeps the least available and the most of each tree, in order and bounded, for any samples", () => {
    FastCheck.assert(
      FastCheck.property(Samples, (samples) => {
        const series = seriesFrom(samples)
        const { coarse, fine } = savedSamples(series)
        for (const { at_ms, available_bytes, trees } of [fine, coarse]) {
          assert.isTrue(isAscending(at_ms))
          assert.isAtMost(at_ms.length, 1446)
          for (const column of Object.values(trees)) assert.strictEqual(column.length, at_ms.length)
          assert.strictEqual(available_bytes.length, at_ms.length)
        }
        const last = samples.at(-1)
        const at = coarse.at_ms.length - 1
        const beganMs = coarse.at_ms[at] ?? 0
        assert.isAtMost(coarse.available_bytes[at] ?? 0, last?.availableBytes ?? 0)
        assert.isAtMost(beganMs, last?.atMs ?? 0)
        assert.isAtLeast(coarse.trees["shop"]?.[at] ?? 0, last?.trees.get("shop") ?? 0)
      })
    )
  })

  it("stays as it is with a sample that is covered, and changes with any other", () => {
    FastCheck.assert(
      FastCheck.property(
        Samples,
        FastCheck.nat(16e9),
        FastCheck.nat(20_000),
        (samples, available, laterMs) => {
          const series = seriesFrom(samples)
          const next = { ...sample((series.last?.atMs ?? 0) + laterMs, available), trees: new Map() }
          const after = savedSamples(withSample(series, next))
          if (isCovered(series, next)) assert.deepStrictEqual(after, savedSamples(series))
          else assert.notDeepEqual(after, savedSamples(series))
        }
      )
    )
  })

  it("is the same with and without a restart in between, for any clock that goes on", () => {
    const Forward = FastCheck.array(
      FastCheck.record({
        stepMs: FastCheck.integer({ min: 0, max: 9000 }),
        availableBytes: FastCheck.nat(16e9)
      }),
      { minLength: 2, maxLength: 200 }
    )
    FastCheck.assert(
      FastCheck.property(Forward, FastCheck.nat(200), (steps, cut) => {
        let atMs = start
        const samples = steps.map(({ availableBytes, stepMs }) => sample((atMs += stepMs), availableBytes))
        const whole = seriesFrom(samples)
        const before = seriesFrom(samples.slice(0, cut))
        // The file is read after the new daemon has taken its first samples.
        const after = afterRestart(restarted(before), seriesFrom(samples.slice(cut)))
        assert.deepStrictEqual(savedSamples(after), savedSamples(whole))
      })
    )
  })

  it("answers a short question in steps of ten seconds, and each with at most 290 rows", () => {
    const samples = Array.from({ length: 26 * 720 }, (_, n) =>
      sample(start + n * 5000, n === 26 * 720 - 8000 ? 5 : 8e9 + n, { shop: n })
    )
    const series = seriesFrom(samples)
    const nowMs = start + 26 * hour
    const rows = (sinceMs?: number) => samplesSince(series, { sinceMs }, nowMs)
    const widths = [15 * minute, hour, 6 * hour, 24 * hour, 400 * hour].map((span) => rows(nowMs - span))
    assert.deepStrictEqual(
      widths.map(({ at_ms, width_ms }) => [width_ms, at_ms.length]),
      [
        [10_000, 90],
        [20_000, 180],
        [120_000, 180],
        [300_000, 288],
        [300_000, 289]
      ]
    )
    assert.deepStrictEqual(rows(), rows(nowMs - hour))
    // The dip of one sample is in the rows of the day.
    assert.include(rows(nowMs - 24 * hour).available_bytes, 5)
    assert.deepStrictEqual(rows().limits, [
      { at_ms: nowMs - hour, total_bytes: 16e9, low_bytes: 2e9, critical_bytes: 1e9 }
    ])
  })

  it("leaves out the bucket that still changes, and shows a gap where no daemon ran", () => {
    const first = seriesFrom([sample(start, 1), sample(start + 5000, 2), sample(start + 10_000, 3)])
    assert.deepStrictEqual(samplesSince(first, { sinceMs: start }, start + 12_000).at_ms, [start])
    const second = afterRestart(restarted(first), seriesFrom([sample(start + 60_000, 4)]))
    assert.deepStrictEqual(samplesSince(second, { sinceMs: start }, start + 70_000).at_ms, [
      start,
      start + 10_000,
      start + 60_000
    ])
  })

  it("has no gap where memory is sampled more rarely than a bucket passes", () => {
    const series = seriesFrom([sample(start, 7), sample(start + 35_000, 8)])
    const { at_ms, available_bytes } = samplesSince(series, { sinceMs: start }, start + 40_000)
    assert.deepStrictEqual(available_bytes, [7, 7, 7, 8])
    assert.strictEqual(at_ms.length, 4)
  })

  it("answers for one project, also one that it does not know", () => {
    const series = seriesFrom([sample(start, 7, { shop: 1, constructor: 2 }), sample(start + 10_000, 8)])
    const treesOf = (project?: string) =>
      samplesSince(series, { project, sinceMs: start }, start + 20_000).trees
    assert.deepStrictEqual(treesOf(), { constructor: [2, null], shop: [1, null] })
    assert.deepStrictEqual(treesOf("shop"), { shop: [1, null] })
    assert.deepStrictEqual(treesOf("blog"), { blog: [null, null] })
  })

  it("refuses columns that do not fit together", () => {
    const saved = savedSamples(seriesFrom([sample(start, 7, { shop: 1 }), sample(start + hour, 8)]))
    assert.isDefined(seriesOf(saved))
    for (const change of [
      { width_ms: 1 },
      { at_ms: saved.fine.at_ms.toReversed() },
      { at_ms: [start] },
      { available_bytes: [] },
      { limits: [] },
      { trees: { shop: [1] } }
    ])
      assert.isUndefined(seriesOf({ ...saved, fine: { ...saved.fine, ...change } }), JSON.stringify(change))
  })

  it("fits the file that a start reads, with many projects and thresholds that change all the time", () => {
    const samples = Array.from({ length: 24 * 60 + 400 }, (_, n) => ({
      ...sample(
        start + n * (n < 1440 ? minute : 10_000),
        15e15 + n,
        Object.fromEntries(
          Array.from({ length: 40 }, (_unused, project) => [`project-${project}`, 8e15 + n + project])
        )
      ),
      limits: { totalBytes: 16e15 + n, lowBytes: 2e15, criticalBytes: 1e15 }
    }))
    assert.isBelow(JSON.stringify(savedSamples(seriesFrom(samples))).length, 1024 * 1024)
  })
})
