import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import { coalescedRead } from "../../../src/Layers/concurrency/CoalescedRead.ts"

const turns = (count: number) =>
  Effect.promise(async () => {
    for (let n = 0; n < count; n++) await new Promise(setImmediate)
  })

/** Readings that are numbered as they begin, and last some turns of the event loop. */
const numbered = (lastsTurns: number) => {
  const readings = { begun: 0 }
  const read = Effect.suspend(() => {
    const number = ++readings.begun
    return Effect.as(turns(lastsTurns), number)
  })
  return { readings, ask: coalescedRead(read)(Effect.succeed) }
}

/** A reading that begins when it is told so, and ends when it is let. */
const held = Effect.gen(function* () {
  const begins = yield* Deferred.make<void>()
  const mayEnd = yield* Deferred.make<void>()
  const readings = { begun: 0 }
  const read = Effect.suspend(() => {
    const number = ++readings.begun
    return Deferred.succeed(begins, undefined).pipe(
      Effect.zipRight(Deferred.await(mayEnd)),
      Effect.as(number)
    )
  })
  return { begins, mayEnd, readings, ask: coalescedRead(read)(Effect.succeed) }
})

describe("a coalesced read", () => {
  it.live("runs once for fifty requests of one turn, and once more for fifty later ones", () =>
    Effect.gen(function* () {
      const { ask, readings } = numbered(3)
      const twice = Effect.zip(ask, ask)
      const got = yield* Effect.all(
        Array.from({ length: 50 }, () => twice),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        got,
        got.map(() => [1, 2])
      )
      assert.strictEqual(readings.begun, 2)
    })
  )

  it.live("is not shared with a request that arrives during it, which gets the next one", () =>
    Effect.gen(function* () {
      const { ask, begins, mayEnd } = yield* held
      const early = yield* Effect.fork(ask)
      yield* Deferred.await(begins)
      const late = yield* Effect.fork(ask)
      yield* turns(3)
      yield* Deferred.succeed(mayEnd, undefined)
      assert.strictEqual(yield* Fiber.join(early), 1)
      assert.strictEqual(yield* Fiber.join(late), 2)
    })
  )

  it.live("is repeated for the others when the reading request is interrupted", () =>
    Effect.gen(function* () {
      const { ask, begins, mayEnd } = yield* held
      const first = yield* Effect.fork(ask)
      const second = yield* Effect.fork(ask)
      yield* Deferred.await(begins)
      yield* Fiber.interrupt(first)
      yield* Deferred.succeed(mayEnd, undefined)
      assert.strictEqual(yield* Fiber.join(second), 2)
    })
  )

  it.live("is repeated for the others when it fails", () =>
    Effect.gen(function* () {
      let begun = 0
      const ask = coalescedRead(
        Effect.suspend(() => (++begun === 1 ? Effect.fail("no descriptor free") : Effect.succeed(begun)))
      )(Effect.succeed)
      const [first, ...others] = yield* Effect.all(
        Array.from({ length: 5 }, () => Effect.exit(ask)),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(first, Exit.fail("no descriptor free"))
      assert.deepStrictEqual(
        others,
        others.map(() => Exit.succeed(2))
      )
    })
  )

  it.live("is used by one request at a time", () =>
    Effect.gen(function* () {
      let inUse = 0
      const look = coalescedRead(Effect.void)
      const use = look(() =>
        Effect.gen(function* () {
          inUse++
          yield* turns(2)
          assert.strictEqual(inUse, 1)
          inUse--
        })
      )
      yield* Effect.all([use, use, use], { concurrency: "unbounded", discard: true })
    })
  )

  it.live("always begins after the requests that get it", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(
          FastCheck.nat(4),
          FastCheck.array(FastCheck.nat(12), { minLength: 1, maxLength: 20 }),
          (lastsTurns, waits) => {
            const { ask, readings } = numbered(lastsTurns)
            const asker = (waitTurns: number) =>
              Effect.gen(function* () {
                yield* turns(waitTurns)
                const before = readings.begun
                const got = yield* ask
                assert.isAbove(got, before)
              })
            return Effect.runPromise(
              Effect.all(waits.map(asker), { concurrency: "unbounded", discard: true })
            )
          }
        )
      )
    )
  )
})
