import { assert, describe, it } from "@effect/vitest"
import { healthMinutes, healthStrip } from "../../../src/Domain/chart/HealthStrip.ts"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import type { SamplesData } from "../../../src/Domain/memory/SamplesData.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { run } from "../../fixtures/HistoryRecords.ts"

const minute = 60_000
/** The strip begins at this minute. */
const firstMs = Math.floor(1_790_000_000_000 / minute) * minute
const nowMs = firstMs + 59 * minute + 45_000
const shop = ProjectName.make("shop")

const started: DaemonEvent = { _tag: "WorkerStarted", project: shop, pid: 1, workerId: "a", command: ["a"] }

/** Samples of all minutes, but for those left out. */
const samplesOf = ({
  without = [],
  low = []
}: Partial<Record<"without" | "low", ReadonlyArray<number>>> = {}) => {
  const minutes = Array.from({ length: 60 }, (_, n) => n).filter((n) => !without.includes(n))
  return {
    width_ms: 20_000,
    at_ms: minutes.map((n) => firstMs + n * minute),
    available_bytes: minutes.map((n) => (low.includes(n) ? 1.5e9 : 8e9)),
    limits: [{ at_ms: firstMs, total_bytes: 16e9, low_bytes: 2e9, critical_bytes: 1e9 }],
    trees: { shop: minutes.map(() => 1e9) }
  } satisfies SamplesData
}

const tonesOf = (
  events: ReadonlyArray<readonly [minute: number, event: DaemonEvent]>,
  samples: SamplesData = samplesOf()
) => {
  const records = run("d", ...events.map(([at, event]) => [firstMs + at * minute, event] as const))
  return healthMinutes(records, samples, "shop", nowMs)
}

const at = (minutes: ReturnType<typeof tonesOf>, ...places: ReadonlyArray<number>) =>
  places.map((n) => minutes[n]?.tone)

describe("the strip of the last hour", () => {
  it("is good for every minute of a worker that runs, however long ago it was started", () => {
    const minutes = tonesOf([[-600, started]])
    assert.lengthOf(minutes, 60)
    assert.isTrue(minutes.every(({ tone }) => tone === "ok"))
    assert.strictEqual(minutes.at(-1)?.atMs, firstMs + 59 * minute)
    // The history may begin later than the worker.
    assert.isTrue(tonesOf([]).every(({ tone }) => tone === "ok"))
  })

  it("shows a crash, the wait after it, and the worker after that", () => {
    const exit = { code: 1, signal: null }
    const minutes = tonesOf([
      [0, started],
      [10, { _tag: "WorkerExited", project: shop, exit, uptimeMs: 1, wasAsked: false }],
      [
        10,
        { _tag: "WorkerEnded", project: shop, verdict: { kind: "crash", exit, tail: [] }, exit, uptimeMs: 1 }
      ],
      [10, { _tag: "BackingOff", project: shop, failures: 5, delayMs: 120_000 }],
      [12, started],
      [20, { _tag: "GaveUp", project: shop, failures: 10, reason: "crash" }],
      [30, { _tag: "WorkerStopped", project: shop, reason: "stop command" }]
    ])
    assert.deepStrictEqual(at(minutes, 9, 10, 11, 12, 19, 20, 29, 31), [
      "ok",
      "bad",
      "warn",
      "ok",
      "ok",
      "bad",
      "bad",
      "off"
    ])
    assert.include(minutes[10]?.text, "exit code 1")
  })

  it("shows low memory, and where no daemon ran", () => {
    const minutes = tonesOf([[-1, started]], samplesOf({ low: [7], without: [20, 21, 59] }))
    assert.deepStrictEqual(at(minutes, 6, 7, 8, 20, 21, 22), ["ok", "warn", "ok", "off", "off", "ok"])
    assert.strictEqual(minutes[20]?.text, "no daemon ran")
    // The samples of the present minute are still to come.
    assert.strictEqual(minutes[59]?.tone, "ok")
  })

  it("ignores what happens to other projects", () => {
    const blog = ProjectName.make("blog")
    assert.deepStrictEqual(
      at(tonesOf([[5, { _tag: "GaveUp", project: blog, failures: 1, reason: "x" }]]), 5),
      ["ok"]
    )
  })

  it("says in words how many minutes were how, and what went wrong last", () => {
    const { text } = healthStrip(
      tonesOf([[57, { _tag: "GaveUp", project: shop, failures: 3, reason: "<b>&" }]])
    )
    assert.include(text, "57 were good, 0 had warnings, 3 had failures, and in 0 no worker ran.")
    assert.include(text, "2 minutes ago: Gave up after 3 failures in a row, the last: &lt;b&gt;&amp;")
    assert.lengthOf([...text.matchAll(/<rect /g)], 60)
  })
})
