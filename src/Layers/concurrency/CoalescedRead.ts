import * as Effect from "effect/Effect"

/** Plain work that yields where the event loop may turn. */
export type Walk<A> = Generator<void, A, void>

/**
 * Coalesces the requests of one event-loop turn into one expensive read. A request never gets a read that began before
 * it: a request during a read gets the next one. Requests are served one at a time, each with its own `use` of the reading. A
 * read that throws, or whose request is interrupted, is not shared: the next request reads again.
 */
export const coalescedRead = <A extends object, E>(
  read: () => Walk<A>,
  failure: (cause: unknown) => Effect.Effect<never, E>
) => {
  /** The requests in order. Each does its next piece of work, and returns whether it is served. */
  const requests: Array<() => boolean> = []
  /** The requests that the next read serves. Its reading goes with the last of them. */
  let gathering: { reading?: A } = {}

  const proceed = (): void => {
    while (requests[0]?.() === true) requests.shift()
    if (requests.length > 0) setImmediate(proceed)
  }

  return <B>(use: (reading: A) => Walk<B>): Effect.Effect<B, E> =>
    Effect.async((resume) => {
      const batch = gathering
      const steps = (function* () {
        if (batch.reading === undefined) {
          if (gathering === batch) gathering = {}
          batch.reading = yield* read()
        }
        return yield* use(batch.reading)
      })()
      let isOver = false
      // All requests of this turn arrive before the next turn.
      const length = requests.push(() => {
        if (isOver) return true
        try {
          const { done, value } = steps.next()
          if (done !== true) return false
          resume(Effect.succeed(value))
        } catch (cause) {
          resume(failure(cause))
        }
        return true
      })
      if (length === 1) setImmediate(proceed)
      return Effect.sync(() => void (isOver = true))
    })
}
