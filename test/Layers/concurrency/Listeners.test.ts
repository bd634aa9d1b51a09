import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  afterEach,
  makeListeners,
  nowAndAfterEach,
  runningFor
} from "../../../src/Layers/concurrency/Listeners.ts"

/** Lets every fiber run until it waits. */
const settle = Effect.repeatN(Effect.yieldNow(), 50)

describe("plain listeners", () => {
  it.scoped("act after each signal, and once for all that come meanwhile", () =>
    Effect.gen(function* () {
      const { listen, tell } = makeListeners<[]>()
      const latch = yield* Effect.makeLatch()
      let acts = 0
      const act = Effect.zipRight(
        Effect.sync(() => acts++),
        latch.await
      )
      yield* afterEach(listen, act)
      yield* settle
      assert.strictEqual(acts, 0)
      for (let signal = 0; signal < 3; signal++) {
        tell()
        yield* settle
      }
      assert.strictEqual(acts, 1)
      yield* latch.open
      yield* settle
      assert.strictEqual(acts, 2)
      tell()
      yield* settle
      assert.strictEqual(acts, 3)
    })
  )

  it.scoped("hear a signal that comes in the same moment in which they begin", () =>
    Effect.gen(function* () {
      const { listen, tell } = makeListeners<[]>()
      let acts = 0
      yield* afterEach(
        listen,
        Effect.sync(() => acts++)
      )
      tell()
      yield* settle
      assert.strictEqual(acts, 1)
    })
  )

  it.effect("act at once, and are gone with their scope", () =>
    Effect.gen(function* () {
      const { listen, tell } = makeListeners<[]>()
      let acts = 0
      const loop = nowAndAfterEach(
        listen,
        Effect.sync(() => acts++)
      )
      yield* Effect.gen(function* () {
        yield* Effect.forkScoped(loop)
        yield* settle
        assert.strictEqual(acts, 1)
        tell()
        yield* settle
      }).pipe(Effect.scoped)
      tell()
      yield* settle
      assert.strictEqual(acts, 2)
    })
  )

  it.scoped("run what belongs to a value until a signal finds another one", () =>
    Effect.gen(function* () {
      const { listen, tell } = makeListeners<[]>()
      const notes: Array<string> = []
      let value = "a"
      const note = (what: string) => Effect.sync(() => void notes.push(what))
      yield* Effect.forkScoped(
        runningFor(listen, {
          now: () => value,
          isSame: (one, other) => one === other,
          run: (of) =>
            Effect.zipRight(
              note(of),
              Effect.onInterrupt(Effect.never, () => note(`no ${of}`))
            )
        })
      )
      const set = (next: string) => {
        value = next
        tell()
        return settle
      }
      yield* settle
      yield* set("a")
      assert.deepStrictEqual(notes, ["a"])
      yield* set("b")
      yield* set("b")
      yield* set("a")
      assert.deepStrictEqual(notes, ["a", "no a", "b", "no b", "a"])
    })
  )
})
