import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Adds a listener. Returns the function that removes it. */
export type Listen<Told extends ReadonlyArray<unknown>> = (listener: (...told: Told) => void) => () => void

/** Listeners that plain code calls at once; without any a call costs nothing. */
export const makeListeners = <Told extends ReadonlyArray<unknown>>() => {
  const listeners = new Set<(...told: Told) => void>()
  const listen: Listen<Told> = (listener) => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }
  const tell = (...told: Told): void => {
    for (const listener of listeners) listener(...told)
  }
  return { listen, tell }
}

/** A closed latch that each signal opens, as long as the scope lives: many signals in a row wake a loop once. */
export const latchOf = (listen: Listen<[]>): Effect.Effect<Effect.Latch, never, Scope.Scope> =>
  Effect.tap(Effect.makeLatch(), (latch) =>
    Effect.acquireRelease(
      Effect.sync(() => listen(() => latch.unsafeOpen())),
      (remove) => Effect.sync(remove)
    )
  )

/** Returns the first value that `look` has, now or after a signal. */
export const awaited = <A>(listen: Listen<[]>, look: () => A | undefined): Effect.Effect<A> =>
  Effect.async<A>((resume) => {
    const check = () => {
      const found = look()
      if (found === undefined) return
      leave()
      resume(Effect.succeed(found))
    }
    const leave = listen(check)
    check()
    return Effect.sync(leave)
  })
