import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { keepingInterruptions } from "../../../src/Layers/concurrency/KeptInterruptions.ts"
import { endsThoughClosing } from "../../fixtures/InterruptedClosing.ts"

describe("a program that keeps interruptions", () => {
  it.effect("ends a fiber that is interrupted while it closes one thing after another", () =>
    Effect.gen(function* () {
      assert.isTrue(yield* keepingInterruptions(endsThoughClosing))
    })
  )

  it.effect("ends a fiber that a fiber of it has started", () =>
    Effect.gen(function* () {
      assert.isTrue(yield* keepingInterruptions(Effect.flatten(Effect.fork(endsThoughClosing))))
    })
  )
})
