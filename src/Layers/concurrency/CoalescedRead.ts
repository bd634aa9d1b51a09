import * as Effect from "effect/Effect"
import { turnOfTheEventLoop } from "./EventLoop.ts"

/**
 * One reading for all who ask at once, where every reading is dear. What one gets has begun after one has asked: who
 * asks while a reading is under way gets the next. `use` is given it, one asker at a time. A reading that fails, or
 * whose reader is interrupted, counts for nobody else: whoever comes next reads anew.
 */
export const coalescedRead = <A, E>(read: Effect.Effect<A, E>) => {
  const turn = Effect.unsafeMakeSemaphore(1)
  let begun = 0
  let asking = 0
  let last: { readonly number: number; readonly value: A } | undefined

  const begunAfter = (asked: number): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      if (last !== undefined && last.number > asked) return Effect.succeed(last.value)
      const number = ++begun
      return Effect.tap(read, (value) => {
        last = { number, value }
      })
    })

  return <B, E2>(use: (reading: A) => Effect.Effect<B, E2>): Effect.Effect<B, E | E2> =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        asking++
        return begun
      }),
      // All who are ready to ask in this turn have asked before the next one.
      (asked) =>
        Effect.zipRight(turnOfTheEventLoop, turn.withPermits(1)(Effect.flatMap(begunAfter(asked), use))),
      () =>
        Effect.sync(() => {
          asking--
          // What nobody waits for would only hold memory.
          if (asking === 0) last = undefined
        })
    )
}
