import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/**
 * Returns the first result and interrupts the other racers. An interruption of the calling fiber does not end it:
 * Effect.race passes an interruption on to its fibers even when it is uninterruptible itself, and a grace period would
 * end without the SIGKILL that must follow. Use it only for racers that end by themselves or can be hastened.
 */
export const patientRace = <A, R>(
  racers: ReadonlyArray<Effect.Effect<A, never, R>>
): Effect.Effect<A, never, R> =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      const result = yield* Deferred.make<A>()
      const fibers = yield* Effect.forEach(racers, (racer) =>
        // A daemon fiber has no parent, so only the interruption below reaches it.
        Effect.forkDaemon(Effect.intoDeferred(Effect.interruptible(racer), result))
      )
      const first = yield* Effect.exit(Deferred.await(result))
      yield* Fiber.interruptAll(fibers)
      return yield* first
    })
  )
