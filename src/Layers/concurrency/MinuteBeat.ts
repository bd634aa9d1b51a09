import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { PlainTimer } from "./PlainTimer.ts"

/**
 * One beat a minute for all that a daemon at rest does regularly. The wake-up of an idle process costs more than most of
 * what it wakes up for, so the beat shares one with a timer that fires anyway.
 */
export class MinuteBeat extends Context.Tag("MinuteBeat")<
  MinuteBeat,
  {
    /** Calls plain code at every beat until the scope closes. */
    readonly observe: (act: () => void) => Effect.Effect<void, never, Scope.Scope>
    /** Says that the process is awake: a beat that is due within `shareMs` comes now. */
    readonly awake: () => void
  }
>() {}

const beatMs = 60_000

/** A little more than the longest time between two samples of the memory, by its default settings. */
const shareMs = 6000

export const layer: Layer.Layer<MinuteBeat> = Layer.scoped(
  MinuteBeat,
  Effect.gen(function* () {
    const timer = yield* PlainTimer
    const clock = yield* Effect.clock
    const observers = new Set<() => void>()
    const nowMs = () => Number(clock.unsafeCurrentTimeNanos()) / 1e6
    let beganMs = 0
    let cancel = () => {}
    const begin = () => {
      beganMs = nowMs()
      cancel = timer.after(beatMs, beat)
    }
    const beat = () => {
      cancel()
      begin()
      for (const act of observers) act()
    }
    begin()
    yield* Effect.addFinalizer(() => Effect.sync(() => cancel()))
    return MinuteBeat.of({
      observe: (act) =>
        Effect.acquireRelease(
          Effect.sync(() => void observers.add(act)),
          () => Effect.sync(() => void observers.delete(act))
        ),
      awake: () => {
        if (nowMs() - beganMs >= beatMs - shareMs) beat()
      }
    })
  })
)
