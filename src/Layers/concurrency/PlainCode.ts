import * as Effect from "effect/Effect"
import { PlainTimer } from "./PlainTimer.ts"
import type { Timer } from "./Timer.ts"

/** Fails with what is an error, and succeeds with anything else. */
export const orFail = <A>(found: A): Effect.Effect<Exclude<A, Error>, Extract<A, Error>> =>
  // The compiler does not narrow a type parameter.
  found instanceof Error
    ? Effect.fail(found as Extract<A, Error>)
    : Effect.succeed(found as Exclude<A, Error>)

/** Awaits plain code, which returns its failures and rejects only for a bug. An interruption does not wait for it. */
export const inPlainCode = <A>(
  act: (timer: Timer) => Promise<A>
): Effect.Effect<Exclude<A, Error>, Extract<A, Error>> =>
  Effect.flatMap(PlainTimer, (timer) =>
    Effect.flatMap(
      Effect.promise(() => act(timer)),
      orFail
    )
  )
