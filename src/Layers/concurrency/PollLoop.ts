import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/**
 * Looks for ever: again after as many milliseconds as the look asks for, or at once when the latch is opened. A look
 * that asks for no time has found nothing to look at: then only the latch counts.
 */
export const pollLoop = <E, R>(
  isWanted: Effect.Latch,
  look: Effect.Effect<number | undefined, E, R>
): Effect.Effect<never, E, R> =>
  Effect.gen(function* () {
    // Before the look: who opens it meanwhile wants another one.
    yield* isWanted.close
    const nextMs = yield* look
    yield* nextMs === undefined
      ? isWanted.await
      : Effect.timeoutOption(isWanted.await, Duration.millis(nextMs))
  }).pipe(Effect.forever)
