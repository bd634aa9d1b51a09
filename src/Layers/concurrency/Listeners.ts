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

/** Acts after each signal, as long as the scope lives; once for all signals that come while it acts. */
export const afterEach = <R>(
  listen: Listen<[]>,
  act: Effect.Effect<unknown, never, R>
): Effect.Effect<void, never, R | Scope.Scope> =>
  Effect.flatMap(latchOf(listen), (latch) =>
    latch.await.pipe(Effect.zipRight(latch.close), Effect.zipRight(act), Effect.forever, Effect.forkScoped)
  )

/** Acts now, and after each signal, as `afterEach`. A stream for this takes eight times as much to begin. */
export const nowAndAfterEach = <E, R>(
  listen: Listen<[]>,
  act: Effect.Effect<unknown, E, R>
): Effect.Effect<never, E, R> =>
  Effect.scoped(
    Effect.flatMap(latchOf(listen), (latch) =>
      latch.close.pipe(Effect.zipRight(act), Effect.zipRight(latch.await), Effect.forever)
    )
  )

/** Runs what belongs to the value of now. When a signal finds another value, it is interrupted, and that of the other runs. */
export const runningFor = <A, E, R>(
  listen: Listen<[]>,
  {
    isSame,
    now,
    run
  }: {
    readonly now: () => A
    readonly isSame: (one: A, other: A) => boolean
    readonly run: (value: A) => Effect.Effect<never, E, R>
  }
): Effect.Effect<never, E, R> =>
  Effect.scoped(
    Effect.flatMap(latchOf(listen), (latch) =>
      Effect.suspend(() => {
        const value = now()
        const isOver = Effect.sync(() => !isSame(value, now()))
        const change = latch.await.pipe(
          Effect.zipRight(latch.close),
          Effect.zipRight(isOver),
          Effect.repeat({ until: (over) => over })
        )
        return Effect.raceFirst(run(value), change)
      }).pipe(Effect.forever)
    )
  )
