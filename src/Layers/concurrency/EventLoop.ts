import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** Lets everything else that is due have its turn: sockets, timers, workers' output. */
export const turnOfTheEventLoop: Effect.Effect<void> = Effect.async<void>((resume) => {
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})
/**
 * Calls plain code after a time. A fiber that sleeps and wakes costs three times as much as the timer beneath it: what
 * is done twenty times a second, all night long, is worth doing without one. Tests put their clock in its place.
 */

export class PlainTimer extends Context.Reference<PlainTimer>()("PlainTimer", {
  defaultValue: (): {
    /** Returns what calls it off. */
    readonly after: (delayMs: number, act: () => void) => () => void
  } => ({
    after: (delayMs, act) => {
      const timer = setTimeout(act, delayMs)
      return () => clearTimeout(timer)
    }
  })
}) {}
