import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as MinuteBeat from "../../../src/Layers/concurrency/MinuteBeat.ts"
import { testTimers } from "../../fixtures/PlainTimers.ts"

/** Counts the beats of two observers, with a timer that fires every `everyMs` and says so. */
const beatsIn = (minutes: number, everyMs: number | undefined) =>
  Effect.gen(function* () {
    const { awake, observe } = yield* MinuteBeat.MinuteBeat
    const counts = [0, 0]
    const beganMs = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
    const offGrid: Array<number> = []
    const clock = yield* Effect.clock
    for (const at of counts.keys())
      yield* observe(() => {
        counts[at] = (counts[at] ?? 0) + 1
        const sinceMs = clock.unsafeCurrentTimeMillis() - beganMs
        if (everyMs !== undefined && sinceMs % everyMs !== 0) offGrid.push(sinceMs)
      })
    if (everyMs !== undefined)
      yield* Effect.forkScoped(Effect.forever(Effect.delay(Effect.sync(awake), everyMs)))
    yield* TestClock.adjust(`${minutes} minutes`)
    return { counts, offGrid }
  }).pipe(Effect.scoped, Effect.provide(Layer.provide(MinuteBeat.layer, testTimers)))

describe("the beat of a daemon at rest", () => {
  it.effect("comes with a wake-up that happens anyway, and wakes up nothing by itself", () =>
    Effect.gen(function* () {
      const { counts, offGrid } = yield* beatsIn(10, 3400)
      assert.deepStrictEqual(offGrid, [])
      assert.deepStrictEqual(counts, [11, 11])
    })
  )

  it.effect("comes once a minute by itself where nothing else happens", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* beatsIn(10, undefined)).counts, [10, 10])
    })
  )

  it.effect("comes once a minute beside a timer that fires all the time", () =>
    Effect.gen(function* () {
      const { counts } = yield* beatsIn(9, 1000)
      assert.deepStrictEqual(counts, [10, 10])
    })
  )
})
