import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** Runs an effect with a permit of a semaphore, which is taken at once where one is free: to wait for it takes thirty operations. */
export const inTurn =
  (turn: Effect.Semaphore) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(
      turn.withPermitsIfAvailable(1)(effect),
      Option.match({ onNone: () => turn.withPermits(1)(effect), onSome: Effect.succeed })
    )
