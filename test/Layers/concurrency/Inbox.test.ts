import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { makeInbox } from "../../../src/Layers/concurrency/Inbox.ts"

describe("an inbox", () => {
  it.effect("gives its reader each event once, in order, also those that come before it reads", () =>
    Effect.gen(function* () {
      const inbox = makeInbox<{ readonly number: number }>()
      inbox.add({ number: 1 })
      inbox.add({ number: 2 })
      const reader = yield* Effect.fork(Effect.replicateEffect(inbox.take, 5))
      yield* Effect.yieldNow()
      inbox.add({ number: 3 })
      inbox.add({ number: 4 })
      yield* Effect.yieldNow()
      inbox.add({ number: 5 })
      assert.deepStrictEqual(
        (yield* Fiber.join(reader)).map(({ number }) => number),
        [1, 2, 3, 4, 5]
      )
    })
  )

  it.effect("keeps an event that comes after its reader was interrupted", () =>
    Effect.gen(function* () {
      const inbox = makeInbox<{ readonly number: number }>()
      const reader = yield* Effect.fork(inbox.take)
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(reader)
      inbox.add({ number: 1 })
      assert.strictEqual((yield* inbox.take).number, 1)
    })
  )
})
