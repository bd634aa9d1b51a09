import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { marksOf } from "../../../src/Domain/chart/ChartMarks.ts"
import { axisFor, heightOf, timesOf } from "../../../src/Domain/chart/ChartScale.ts"
import { ChartRange, chartView, rangeLinks, spanOf } from "../../../src/Domain/chart/ChartView.ts"
import type { HistoryRecord } from "../../../src/Domain/history/HistoryRecord.ts"
import type { SamplesData } from "../../../src/Domain/memory/SamplesData.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { run } from "../../fixtures/HistoryRecords.ts"

const nowMs = 1_790_000_000_000
const gib = 2 ** 30
const shop = ProjectName.make("shop")
const hour = spanOf("1h", nowMs)

/** Checks that every element is closed, every attribute quoted, and no number is missing. */
const assertWellFormed = (text: string): void => {
  const open: Array<string> = []
  const rest = text.replace(
    /<(\/?)([a-z]+)((?:\s[a-z0-9-]+(?:="[^"<>]*")?)*)\s*(\/?)>/gi,
    (_, end: string, name: string, _attributes, empty: string) => {
      if (end === "/") assert.strictEqual(open.pop(), name)
      else if (empty !== "/") open.push(name)
      return ""
    }
  )
  assert.deepStrictEqual(open, [])
  assert.notMatch(rest, /[<>]/)
  assert.notMatch(text, /NaN|Infinity|undefined|null|\[object/)
}

const samplesOf = (
  rows: ReadonlyArray<readonly [atMs: number, available: number, tree: number | null]>,
  name = "shop",
  widthMs = 20_000
): SamplesData => ({
  width_ms: widthMs,
  at_ms: rows.map(([at]) => at),
  available_bytes: rows.map(([, available]) => available),
  limits: rows
    .slice(0, 1)
    .map(([at]) => ({ at_ms: at, total_bytes: 16 * gib, low_bytes: 2 * gib, critical_bytes: gib })),
  trees: { [name]: rows.map(([, , tree]) => tree) }
})

const restart = (atMs: number, reason: string): ReadonlyArray<HistoryRecord> =>
  run(
    `run ${atMs}`,
    [atMs - 2000, { _tag: "RestartAsked", project: shop, reason }],
    [atMs, { _tag: "WorkerStarted", project: shop, pid: 1, workerId: "a", command: ["a"] }]
  )

const draw = (samples: SamplesData, records: ReadonlyArray<HistoryRecord> = [], project = "shop") =>
  chartView({ range: "1h", span: hour, samples, records, project }).text

const Row = FastCheck.tuple(
  FastCheck.oneof(
    FastCheck.integer({ min: hour.fromMs, max: hour.toMs }),
    FastCheck.nat(Number.MAX_SAFE_INTEGER)
  ),
  FastCheck.oneof(FastCheck.nat(20 * gib), FastCheck.nat(Number.MAX_SAFE_INTEGER)),
  FastCheck.option(FastCheck.nat(20 * gib))
)

describe("the memory chart", () => {
  it("is well-formed for any samples, names and reasons", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(Row, { maxLength: 40 }),
        FastCheck.oneof(
          FastCheck.string({ unit: "binary" }),
          FastCheck.constant('"><script>alert(1)</script>')
        ),
        FastCheck.string({ unit: "binary" }),
        (rows, name, reason) => {
          const sorted = rows.toSorted(([one], [other]) => one - other)
          const records = restart(hour.fromMs + 60_000, reason)
          for (const shown of [name, "shop"]) {
            const text = draw(samplesOf(sorted, name), records, shown)
            assertWellFormed(text)
            assert.notInclude(text, "<script")
          }
        }
      )
    )
  })

  it("breaks the line where no daemon ran, and shows a single sample", () => {
    const at = hour.fromMs
    const text = draw(
      samplesOf([
        [at, 8 * gib, gib],
        [at + 20_000, 7 * gib, gib],
        [at + 600_000, 6 * gib, null]
      ])
    )
    const line = /class="avail" d="([^"]*)"/.exec(text)?.[1] ?? ""
    assert.match(line, /^M[\d.]+,[\d.]+L[\d.]+,[\d.]+M[\d.]+,[\d.]+h0$/)
    assert.match(text, /class="rss" d="M[^M]*"/)
  })

  it("says in words what it shows", () => {
    const text = draw(
      samplesOf([
        [hour.fromMs, 8 * gib, 3 * gib],
        [hour.fromMs + 20_000, 1.5 * gib, gib],
        [hour.fromMs + 40_000, 5 * gib, gib]
      ]),
      restart(hour.fromMs + 30_000, "memory is critical")
    )
    assert.include(text, "at least 1.5 GiB of memory was available, now 5 GiB of 16 GiB")
    assert.include(text, "The worker held at most 3 GiB. 1 restart and 0 kills.")
    assert.include(text, "Restart: memory is critical</title>")
    assert.match(text, /<caption>Memory, part by part<\/caption>/)
    assert.include(draw(samplesOf([])), "No daemon has kept samples")
  })

  it("shows the workers of other projects together", () => {
    const samples = samplesOf([[hour.fromMs, 8 * gib, 3 * gib]])
    assert.notInclude(draw(samples), "Other workers")
    const several = {
      ...samples,
      trees: { ...samples.trees, blog: [gib], notes: [null], constructor: [gib] }
    }
    assert.include(draw(several), "Other workers")
  })

  it("stays the same until a bucket has passed", () => {
    for (const range of ChartRange.literals) {
      const stepMs = range === "15m" || range === "1h" ? 10_000 : 60_000
      const { fromMs, toMs } = spanOf(range, nowMs)
      assert.strictEqual(toMs % stepMs, 0)
      assert.deepStrictEqual(spanOf(range, toMs - 1), { fromMs, toMs })
      assert.strictEqual(spanOf(range, toMs).toMs, toMs + stepMs)
    }
  })

  it("has a few grid lines and times at even places, whatever the amounts", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.nat(Number.MAX_SAFE_INTEGER), FastCheck.nat(2 ** 43), (most, bytes) => {
        const axis = axisFor(most)
        assert.isAtMost(axis.steps, 4)
        assert.isAtLeast(axis.steps * axis.stepBytes, most)
        assert.isAtLeast(heightOf(axis, bytes), 9)
        assert.isAtMost(heightOf(axis, bytes), 89)
      })
    )
    for (const range of ChartRange.literals) {
      const times = timesOf(spanOf(range, nowMs))
      assert.isAtLeast(times.length, 4)
      assert.isAtMost(times.length, 7)
    }
  })

  it("has marks that can be told apart, and a bounded number of them, in a night of restarts", () => {
    const records = Array.from({ length: 3000 }, (_, n) =>
      restart(hour.fromMs + n * 1200, `reason ${n}`)
    ).flat()
    const { marks, restarts } = marksOf(records, "shop", hour)
    assert.strictEqual(restarts, 3000)
    assert.isAtMost(marks.length, 84)
    for (const [n, mark] of marks.entries())
      assert.isAtLeast(mark.atMs - (marks[n - 1]?.atMs ?? 0), (hour.toMs - hour.fromMs) * 0.012)
    assert.include(marks[0]?.text, "and 32 more")
    assert.deepStrictEqual(marksOf(records, "blog", hour), { marks: [], restarts: 0, kills: 0 })
  })

  it("links to its ranges, and keeps the project", () => {
    const { text } = rangeLinks("6h", 'a"b&c')
    assertWellFormed(text)
    assert.include(text, 'href="/?project=a%22b%26c&amp;range=24h" id="range-24h">')
    assert.strictEqual(text.match(/aria-current="true"/g)?.length, 1)
  })
})
