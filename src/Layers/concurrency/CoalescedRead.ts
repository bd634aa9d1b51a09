import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { turnOfTheEventLoop } from "./EventLoop.ts"

/**
 * Coalesces the requests of one event-loop turn into one expensive read. A request never gets a read that began before
 * it: a request during a read gets the next one. `use` runs for one request at a time. A read that fails or is
 * interrupted is not shared: the next request reads again.
 */
export const coalescedRead = <A, E>(read: Effect.Effect<A, E>) => {
  const turn = Effect.unsafeMakeSemaphore(1)
  /** To wait for a turn takes thirty operations, also where it is free. */
  const inTurn = <B, E2>(act: Effect.Effect<B, E2>) =>
    Effect.flatMap(
      turn.withPermitsIfAvailable(1)(act),
      Option.match({ onNone: () => turn.withPermits(1)(act), onSome: Effect.succeed })
    )
  let begun = 0
  let requests = 0
  let last: { readonly number: number; readonly value: A } | undefined

  const begunAfter = (requested: number): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      if (last !== undefined && last.number > requested) return Effect.succeed(last.value)
      const number = ++begun
      return Effect.tap(read, (value) => {
        last = { number, value }
      })
    })

  return <B, E2>(use: (reading: A) => Effect.Effect<B, E2>): Effect.Effect<B, E | E2> =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        requests++
        return begun
      }),
      // All requests of this turn arrive before the next turn.
      (requested) => Effect.zipRight(turnOfTheEventLoop, inTurn(Effect.flatMap(begunAfter(requested), use))),
      () =>
        Effect.sync(() => {
          requests--
          // Frees the memory of the read.
          if (requests === 0) last = undefined
        })
    )
}
