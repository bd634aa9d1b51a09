import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  levelOf,
  type MemoryLevel,
  nextReadMs,
  nextReported,
  nothingReported,
  type ReportedLevel
} from "../../../src/Domain/memory/MemoryLevel.ts"

const gib = 2 ** 30
const thresholds = { minAvailableBytes: 2 * gib, criticalBytes: gib }

const level = (availableBytes: number) => levelOf({ availableBytes }, thresholds)
const next = (availableBytes: number, pollIntervalMs = 5000) =>
  nextReadMs({ availableBytes }, thresholds, pollIntervalMs)

const anyThresholds = FastCheck.tuple(FastCheck.nat(), FastCheck.nat()).map(([one, other]) => ({
  minAvailableBytes: Math.max(one, other) + 1,
  criticalBytes: Math.min(one, other)
}))
const anyAmount = FastCheck.integer({ min: 0, max: 100 * gib })
const anyInterval = FastCheck.integer({ min: 50, max: 2 ** 31 - 1 })
const ranks: ReadonlyArray<MemoryLevel> = ["plentiful", "low", "critical"]

describe("the level of memory", () => {
  it("changes below a threshold, not at it", () => {
    assert.strictEqual(level(2 * gib), "plentiful")
    assert.strictEqual(level(2 * gib - 1), "low")
    assert.strictEqual(level(gib), "low")
    assert.strictEqual(level(gib - 1), "critical")
    assert.strictEqual(level(0), "critical")
  })

  it("is never better with less memory", () => {
    FastCheck.assert(
      FastCheck.property(anyThresholds, anyAmount, anyAmount, (limits, one, other) => {
        const [less, more] = [one, other].toSorted((a, b) => a - b)
        const rank = (availableBytes = 0) => ranks.indexOf(levelOf({ availableBytes }, limits))
        assert.isAtLeast(rank(less), rank(more))
      })
    )
  })
})

describe("the next sample", () => {
  it("comes before memory could be filled down to the next threshold, at 6 GiB/s", () => {
    assert.strictEqual(next(8 * gib), 1000)
    assert.strictEqual(next(3.5 * gib), 250)
    assert.strictEqual(next(1.75 * gib), 125)
  })

  it("comes after the poll interval at the latest, after 50 ms at the soonest, and then when it is critical", () => {
    assert.strictEqual(next(100 * gib), 5000)
    assert.strictEqual(next(100 * gib, 50), 50)
    assert.strictEqual(next(2 * gib), 50)
    assert.strictEqual(next(0), 50)
  })

  it("is within these bounds for all figures, and never sooner with more memory of the same level", () => {
    FastCheck.assert(
      FastCheck.property(
        anyThresholds,
        anyInterval,
        anyAmount,
        anyAmount,
        (limits, pollIntervalMs, one, other) => {
          const [less = 0, more = 0] = [one, other].toSorted((a, b) => a - b)
          const lookMs = (availableBytes: number) => nextReadMs({ availableBytes }, limits, pollIntervalMs)
          assert.isTrue(Number.isInteger(lookMs(one)))
          assert.isAtLeast(lookMs(one), 50)
          assert.isAtMost(lookMs(one), pollIntervalMs)
          if (levelOf({ availableBytes: less }, limits) === levelOf({ availableBytes: more }, limits)) {
            assert.isAtMost(lookMs(less), lookMs(more))
          }
        }
      )
    )
  })
})

/** What is reported, and when, of looks at these moments. */
const tellings = (looks: ReadonlyArray<readonly [atMs: number, level: MemoryLevel]>) => {
  let reported: ReportedLevel = nothingReported
  return looks.flatMap(([atMs, seen]) => {
    const before = reported.level
    reported = nextReported(reported, seen, atMs)
    return reported.level === before ? [] : [[atMs, reported.level] as const]
  })
}

describe("the reported level", () => {
  it("becomes worse at once", () => {
    assert.deepStrictEqual(
      tellings([
        [0, "plentiful"],
        [100, "low"],
        [150, "critical"]
      ]),
      [
        [100, "low"],
        [150, "critical"]
      ]
    )
  })

  it("becomes better after 30 seconds", () => {
    assert.deepStrictEqual(
      tellings([
        [0, "critical"],
        [10_000, "low"],
        [20_000, "plentiful"],
        [39_999, "plentiful"],
        [40_000, "plentiful"]
      ]),
      [
        [0, "critical"],
        [40_000, "plentiful"]
      ]
    )
  })

  it("does not change while memory fluctuates around a threshold, however long", () => {
    const flutter = Array.from(
      { length: 10_000 },
      (_, at) => [at * 100, at % 7 === 0 ? "low" : "plentiful"] as const
    )
    assert.deepStrictEqual(tellings(flutter), [[0, "low"]])
  })

  it("is never better than the level, and equals it after 30 seconds", () => {
    const looks = FastCheck.array(
      FastCheck.tuple(FastCheck.integer({ min: 50, max: 20_000 }), FastCheck.constantFrom(...ranks))
    )
    FastCheck.assert(
      FastCheck.property(looks, FastCheck.constantFrom(...ranks), (steps, last) => {
        let reported: ReportedLevel = nothingReported
        let nowMs = 0
        for (const [afterMs, seen] of steps) {
          nowMs += afterMs
          reported = nextReported(reported, seen, nowMs)
          assert.isAtLeast(ranks.indexOf(reported.level), ranks.indexOf(seen))
        }
        reported = nextReported(nextReported(reported, last, nowMs), last, nowMs + 30_000)
        assert.strictEqual(reported.level, last)
      })
    )
  })
})
