import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { inPlainCode } from "../../../src/Layers/concurrency/PlainCode.ts"

describe("plain code as an effect", () => {
  it.effect(
    "succeeds with what it returns, fails with an error that it returns, and dies of one that it throws",
    () =>
      Effect.gen(function* () {
        const wrong = new Error("wrong")
        assert.strictEqual(yield* inPlainCode(async () => 7), 7)
        assert.strictEqual(yield* Effect.flip(inPlainCode(async () => wrong)), wrong)
        const bug = Effect.exit(inPlainCode(() => Promise.reject(wrong)))
        assert.deepStrictEqual(yield* bug, Exit.die(wrong))
      })
  )

  it.effect("keeps nobody waiting who is interrupted", () =>
    Effect.gen(function* () {
      const waits = yield* Effect.fork(inPlainCode(() => new Promise<never>(() => undefined)))
      yield* Effect.yieldNow()
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(waits)))
    })
  )
})
