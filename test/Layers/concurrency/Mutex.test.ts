import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { makeMutex } from "../../../src/Layers/concurrency/Mutex.ts"
import { countedFibers } from "../../fixtures/CountedFibers.ts"

/** Fails at once where the mutex is still locked. */
const isFree = (mutex: ReturnType<typeof makeMutex>) =>
  Effect.map(Effect.exit(Effect.timeout(Effect.disconnect(mutex(Effect.void)), "1 second")), Exit.isSuccess)

describe("a mutex", () => {
  it.effect("runs effects one after the other, in the order of their calls", () =>
    Effect.gen(function* () {
      const mutex = makeMutex()
      const order: Array<string> = []
      const step = (name: string) =>
        mutex(
          Effect.gen(function* () {
            order.push(`${name} begins`)
            yield* Effect.yieldNow()
            order.push(`${name} ends`)
          })
        )
      yield* Effect.forEach(["a", "b", "c"], step, { concurrency: "unbounded" })
      assert.deepStrictEqual(order, ["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"])
    })
  )

  it.effect("lets no newcomer in between an effect and the one that waits for it", () =>
    Effect.gen(function* () {
      const mutex = makeMutex()
      const order: Array<string> = []
      const note = (name: string) => mutex(Effect.sync(() => void order.push(name)))
      const first = yield* Effect.fork(mutex(Effect.yieldNow()))
      const second = yield* Effect.fork(note("waiting"))
      yield* Fiber.await(first)
      yield* note("newcomer")
      yield* Fiber.await(second)
      assert.deepStrictEqual(order, ["waiting", "newcomer"])
    })
  )

  it.live("is free after a failure, a defect and an interruption", () =>
    Effect.gen(function* () {
      const mutex = makeMutex()
      yield* Effect.exit(mutex(Effect.fail("no")))
      yield* Effect.exit(mutex(Effect.dieMessage("a bug")))
      const fiber = yield* Effect.fork(mutex(Effect.never))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(fiber)
      assert.isTrue(yield* isFree(mutex))
    })
  )

  it.live("is free whenever one that waits is interrupted, also as the lock passes to it", () =>
    Effect.gen(function* () {
      for (const maxOps of [10, 11, 12, 13, 14, 15, 16]) {
        for (let turns = 0; turns < 12; turns++) {
          const mutex = makeMutex()
          const isOver = yield* Deferred.make<void>()
          const holder = yield* Effect.fork(mutex(Deferred.await(isOver)))
          yield* Effect.yieldNow()
          const waiter = yield* Effect.fork(Effect.withMaxOpsBeforeYield(mutex(Effect.never), maxOps))
          yield* Effect.repeatN(Effect.yieldNow(), 10)
          yield* Deferred.succeed(isOver, undefined)
          for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow()
          yield* Fiber.interrupt(waiter)
          yield* Fiber.await(holder)
          assert.isTrue(yield* isFree(mutex), `${maxOps} operations before a yield, after ${turns} turns`)
        }
      }
    })
  )

  it.effect("wakes one fiber at a time: twice as many take twice as long", () =>
    Effect.gen(function* () {
      const operationsOf = (fibers: number) =>
        countedFibers((counts) => {
          const mutex = makeMutex()
          return Effect.as(
            Effect.all(
              Array.from({ length: fibers }, () => mutex(Effect.yieldNow())),
              { concurrency: "unbounded" }
            ),
            counts
          )
        }).pipe(Effect.map((counts) => counts().operations))
      const few = yield* operationsOf(100)
      const many = yield* operationsOf(200)
      assert.isAbove(few, 100)
      assert.isBelow(many, 2.2 * few)
    })
  )
})
