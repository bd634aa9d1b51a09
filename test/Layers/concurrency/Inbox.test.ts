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

  it.effect("wakes its reader for an event that comes while the reader's fiber yields before it waits", () =>
    Effect.gen(function* () {
      for (const maxOps of [10, 11, 12, 13, 14, 15, 16]) {
        for (let turns = 0; turns < 12; turns++) {
          const inbox = makeInbox<{ readonly number: number }>()
          const reader = yield* Effect.fork(Effect.withMaxOpsBeforeYield(inbox.take, maxOps))
          for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow()
          inbox.add({ number: 1 })
          for (let turn = 0; turn < 20; turn++) yield* Effect.yieldNow()
          const isTaken = reader.unsafePoll() !== null
          yield* Fiber.interrupt(reader)
          assert.isTrue(isTaken, `${maxOps} operations before a yield, the event after ${turns} turns`)
        }
      }
    })
  )
})
