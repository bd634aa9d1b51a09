import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/**
 * Polls for ever: again after the milliseconds that `poll` returns, or at once when the latch opens. Waits for the latch
 * alone when `poll` returns undefined.
 */
export const pollLoop = <E, R>(
  isWanted: Effect.Latch,
  poll: Effect.Effect<number | undefined, E, R>
): Effect.Effect<never, E, R> =>
  Effect.gen(function* () {
    // Closed before the poll: an opening during the poll asks for another one.
    yield* isWanted.close
    const nextMs = yield* poll
    yield* nextMs === undefined
      ? isWanted.await
      : Effect.timeoutOption(isWanted.await, Duration.millis(nextMs))
  }).pipe(Effect.forever)
