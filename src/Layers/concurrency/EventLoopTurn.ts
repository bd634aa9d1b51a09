import * as Effect from "effect/Effect"

/** Lets everything else that is due have its turn: sockets, timers, workers' output. */
export const turnOfTheEventLoop: Effect.Effect<void> = Effect.async<void>((resume) => {
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})
