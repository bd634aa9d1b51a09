import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import { identity } from "effect/Function"

/**
 * Keeps the fibers of a program from losing an interruption. After a finalizer, Effect 3.22.4 restores the references of the fiber
 * that runs it: an interruption that came meanwhile is lost, and the fiber that waits for the end waits for ever. Effect restores
 * only a reference that one side lacks or that differs, so every fiber inherits this one, unchanged, from the first.
 * https://github.com/Effect-TS/effect/pull/8271
 */
export const keepingInterruptions = <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.zipRight(FiberRef.update(FiberRef.interruptedCause, identity), program)
