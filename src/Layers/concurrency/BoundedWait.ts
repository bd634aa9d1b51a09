import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { PlainTimer } from "./PlainTimer.ts"

/**
 * Starts an effect in a scope and returns its result; none when it takes longer than `limit`. It goes on then, and also
 * when the caller is interrupted. Effect.timeout would start three fibers and wait for a loser that cannot be interrupted.
 */
export const startedWithin = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  limit: Duration.Duration,
  scope: Scope.Scope
): Effect.Effect<Option.Option<A>, E, R> =>
  Effect.gen(function* () {
    const timer = yield* PlainTimer
    const fiber = yield* Effect.forkIn(effect, scope)
    return yield* Effect.async<Option.Option<A>, E>((resume) => {
      const cancel = timer.after(Duration.toMillis(limit), () => resume(Effect.succeed(Option.none())))
      fiber.addObserver((exit) => {
        cancel()
        resume(Exit.map(exit, Option.some))
      })
      return Effect.sync(cancel)
    })
  })
