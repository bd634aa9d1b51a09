import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import * as TestClock from "effect/TestClock"
import { patientRace } from "../../../src/Layers/concurrency/PatientRace.ts"

const after = (seconds: number, word: string) => Effect.as(Effect.sleep(`${seconds} seconds`), word)

describe("a race that an interruption does not cut short", () => {
  it.effect("returns the first result and interrupts the others", () =>
    Effect.gen(function* () {
      const interrupted = yield* Ref.make(false)
      const slow = Effect.onInterrupt(after(9, "slow"), () => Ref.set(interrupted, true))
      const race = yield* Effect.fork(patientRace([slow, after(1, "fast")]))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(race), "fast")
      assert.isTrue(yield* Ref.get(interrupted))
    })
  )

  it.effect("completes the grace period and the step after it, although it is interrupted twice", () =>
    Effect.gen(function* () {
      const killed = yield* Ref.make(false)
      const ending = patientRace([after(10, "grace is over"), Effect.never]).pipe(
        Effect.zipRight(Ref.set(killed, true)),
        Effect.uninterruptible
      )
      const fiber = yield* Effect.fork(ending)
      yield* TestClock.adjust("1 second")
      yield* Fiber.interruptFork(fiber)
      yield* Fiber.interruptFork(fiber)
      yield* TestClock.adjust("8 seconds")
      assert.isFalse(yield* Ref.get(killed))
      yield* TestClock.adjust("1 second")
      yield* Fiber.await(fiber)
      assert.isTrue(yield* Ref.get(killed))
    })
  )

  it.effect("fails with the first defect, and waits for no other racer", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(patientRace([Effect.never, Effect.dieMessage("a bug")]))
      assert.isTrue(Exit.isFailure(exit))
    })
  )
})
