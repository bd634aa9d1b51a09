import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/**
 * The result of whichever is first; the others are interrupted. Unlike Effect.race it is finished even when its fiber
 * is interrupted meanwhile: an interruption reaches the fibers of a race although the race itself is uninterruptible,
 * and a grace period would end without the kill that has to follow. Only for what ends by itself or can be hastened.
 */
export const patientRace = <A, R>(
  racers: ReadonlyArray<Effect.Effect<A, never, R>>
): Effect.Effect<A, never, R> =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      const result = yield* Deferred.make<A>()
      const fibers = yield* Effect.forEach(racers, (racer) =>
        // A daemon fiber is nobody's child, so no interruption is passed on to it but the one below.
        Effect.forkDaemon(Effect.intoDeferred(Effect.interruptible(racer), result))
      )
      const first = yield* Effect.exit(Deferred.await(result))
      yield* Fiber.interruptAll(fibers)
      return yield* first
    })
  )
