import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { ClosingLimit, closingLimitS, layerOf } from "../../../src/Layers/daemon/ClosingLimit.ts"
import { testTimers } from "../../fixtures/PlainTimers.ts"

/** What a closing that takes this long has come to: reports and exit codes. */
const after = (seconds: number) =>
  Effect.gen(function* () {
    const done: Array<string | number> = []
    yield* Effect.gen(function* () {
      const { begin } = yield* ClosingLimit
      yield* begin(
        75,
        Effect.sync(() => void done.push("report"))
      )
      yield* TestClock.adjust(`${seconds} seconds`)
    }).pipe(
      Effect.scoped,
      Effect.provide(
        Layer.provide(
          layerOf((code) => void done.push(code)),
          testTimers
        )
      )
    )
    yield* TestClock.adjust("1 hour")
    return done
  })

describe("the limit of a shutdown", () => {
  it.effect("ends the process with the code of the shutdown, after a report", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* after(closingLimitS), ["report", 75])
    })
  )

  it.effect("does nothing to one that ends in time", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* after(closingLimitS - 1), [])
    })
  )
})
