import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { systemTimer, type Timer } from "./Timer.ts"

/**
 * Calls plain code after a delay. A sleeping fiber costs three times as much as its timer, which matters for work that
 * runs twenty times a second all night. Tests replace it by their clock.
 */
export class PlainTimer extends Context.Reference<PlainTimer>()("PlainTimer", {
  defaultValue: (): Timer => systemTimer
}) {}

/**
 * Returns a function whose calls lead to one of `act`, once there was none for this time. The end of the scope cancels it.
 * Stream.debounce starts three fibers for each element.
 */
export const onceQuiet = (quietMs: number, act: () => void): Effect.Effect<() => void, never, Scope.Scope> =>
  Effect.flatMap(PlainTimer, (timer) => {
    let cancel = (): void => undefined
    const call = () => {
      cancel()
      cancel = timer.after(quietMs, act)
    }
    return Effect.acquireRelease(Effect.succeed(call), () => Effect.sync(() => cancel()))
  })
