import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import { type RestartPolicy, schedule } from "../../../src/Domain/worker/RestartPolicy.ts"
import { defaultPolicy } from "../../fixtures/policies.ts"
import { runs } from "../../fixtures/runs.ts"

/** The first delays of a schedule, by its driver, on the test's clock. */
const delaysMs = (policy: RestartPolicy, count: number, failuresBefore = 0) =>
  Effect.gen(function* () {
    const driver = yield* Schedule.driver(schedule(policy, failuresBefore))
    const fiber = yield* Effect.fork(Effect.replicateEffect(driver.next(undefined), count))
    yield* TestClock.adjust(Duration.millis(policy.maxBackoffMs * count + 1))
    return Chunk.toReadonlyArray(Chunk.fromIterable(yield* Fiber.join(fiber))).map((delay) =>
      Duration.toMillis(delay)
    )
  })

describe("the delays between restarts", () => {
  it.effect("are 1 2 4 8 16 32 64 128 256 and then 300 seconds for ever", () =>
    Effect.gen(function* () {
      const seconds = (yield* delaysMs(defaultPolicy, 12)).map((delayMs) => delayMs / 1000)
      assert.deepStrictEqual(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])
    })
  )

  it.effect("begin at initial_backoff_ms, not after a first doubling (D5)", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* delaysMs({ ...defaultPolicy, initialBackoffMs: 10 }, 3), [10, 20, 40])
      assert.deepStrictEqual(
        yield* delaysMs({ ...defaultPolicy, initialBackoffMs: 30_000 }, 2),
        [30_000, 60_000]
      )
    })
  )

  it.effect("continue from the failures that an earlier daemon saved", () =>
    Effect.gen(function* () {
      const all = yield* delaysMs(defaultPolicy, 12)
      for (const failures of [1, 5, 9, 11]) {
        assert.deepStrictEqual(yield* delaysMs(defaultPolicy, 1, failures), all.slice(failures, failures + 1))
      }
    })
  )

  it.effect.prop(
    "are never longer than the maximum, never negative, and grow until they reach it",
    {
      initialBackoffMs: FastCheck.integer({ min: 0, max: 100_000 }),
      backoffMultiplier: FastCheck.double({ min: 1, max: 1e9, noNaN: true }),
      failuresBefore: FastCheck.integer({ min: 0, max: 2000 }),
      extraMs: FastCheck.integer({ min: 0, max: 2 ** 31 - 100_001 })
    },
    ({ backoffMultiplier, extraMs, failuresBefore, initialBackoffMs }) =>
      Effect.gen(function* () {
        const maxBackoffMs = initialBackoffMs + extraMs
        const policy = { ...defaultPolicy, initialBackoffMs, maxBackoffMs, backoffMultiplier }
        const delays = yield* delaysMs(policy, 3, failuresBefore)
        for (const [at, delayMs] of delays.entries()) {
          assert.isAtLeast(delayMs, 0)
          assert.isAtMost(delayMs, maxBackoffMs)
          assert.isAtLeast(delayMs, delays[at - 1] ?? 0)
        }
      }),
    { fastCheck: { numRuns: runs(20) } }
  )

  it.effect("vary by the jitter and never beyond the maximum", () =>
    Effect.gen(function* () {
      const policy = {
        ...defaultPolicy,
        jitter: 0.5,
        initialBackoffMs: 1000,
        maxBackoffMs: 1200,
        backoffMultiplier: 1
      }
      const delays = yield* delaysMs(policy, 200)
      assert.isAbove(new Set(delays).size, 50)
      for (const delayMs of delays) {
        assert.isAtLeast(delayMs, 500)
        assert.isAtMost(delayMs, 1200)
      }
    })
  )
})
