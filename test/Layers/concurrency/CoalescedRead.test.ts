import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import { coalescedRead } from "../../../src/Layers/concurrency/CoalescedRead.ts"

const turns = (count: number) =>
  Effect.promise(async () => {
    for (let n = 0; n < count; n++) await new Promise(setImmediate)
  })

const failure = (cause: unknown) => Effect.fail(String(cause))

// oxlint-disable-next-line require-yield -- a request may use the reading at once
function* numberOf({ number }: { readonly number: number }) {
  return number
}

/** Readings that are numbered as they begin, and last some turns of the event loop. */
const numbered = (lastsTurns: number) => {
  const readings = { begun: 0 }
  function* read() {
    const number = ++readings.begun
    for (let turn = 0; turn < lastsTurns; turn++) yield
    return { number }
  }
  return { readings, ask: coalescedRead(read, failure)(numberOf) }
}

/** Readings that end when they are let. */
const held = () => {
  const readings = { begun: 0, mayEnd: false }
  function* read() {
    const number = ++readings.begun
    while (!readings.mayEnd) yield
    return { number }
  }
  return { readings, ask: coalescedRead(read, failure)(numberOf) }
}

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
      const { ask, readings } = held()
      const early = yield* Effect.fork(ask)
      yield* turns(3)
      assert.strictEqual(readings.begun, 1)
      const late = yield* Effect.fork(ask)
      yield* turns(3)
      readings.mayEnd = true
      assert.strictEqual(yield* Fiber.join(early), 1)
      assert.strictEqual(yield* Fiber.join(late), 2)
    })
  )

  it.live("is repeated for the others when the reading request is interrupted", () =>
    Effect.gen(function* () {
      const { ask, readings } = held()
      const first = yield* Effect.fork(ask)
      const second = yield* Effect.fork(ask)
      yield* turns(3)
      assert.strictEqual(readings.begun, 1)
      yield* Fiber.interrupt(first)
      readings.mayEnd = true
      assert.strictEqual(yield* Fiber.join(second), 2)
    })
  )

  it.live("is repeated for the others when it fails", () =>
    Effect.gen(function* () {
      let begun = 0
      // oxlint-disable-next-line require-yield -- a short read
      function* read() {
        if (++begun === 1) throw new Error("no descriptor free")
        return { number: begun }
      }
      const ask = coalescedRead(read, failure)(numberOf)
      const [first, ...others] = yield* Effect.all(
        Array.from({ length: 5 }, () => Effect.exit(ask)),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(first, Exit.fail("Error: no descriptor free"))
      assert.deepStrictEqual(
        others,
        others.map(() => Exit.succeed(2))
      )
    })
  )

  it.live("is used by one request at a time", () =>
    Effect.gen(function* () {
      let inUse = 0
      // oxlint-disable-next-line require-yield -- a short read
      const look = coalescedRead(function* () {
        return {}
      }, failure)
      const use = look(function* () {
        inUse++
        yield
        yield
        assert.strictEqual(inUse, 1)
        inUse--
      })
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
