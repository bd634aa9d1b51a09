import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { DaemonEvents } from "./DaemonEvents.ts"

interface ConcernOptions {
  /** Its first defect stops the daemon. */
  readonly vital?: boolean
}

/**
 * The long-running fibers of the daemon. A fiber forked inside a layer would die silently. Here a defect is an event with
 * its cause, and the concern restarts after a delay and shows as degraded until it has run for a while. A concern that
 * keeps failing stops the daemon.
 */
export class Concerns extends Context.Tag("Concerns")<
  Concerns,
  {
    /** Runs as long as the scope. `effect` should never end: its end or failure counts as a defect. */
    readonly run: <E, R>(
      name: string,
      effect: Effect.Effect<unknown, E, R>,
      options?: ConcernOptions
    ) => Effect.Effect<void, never, R | Scope.Scope>
    /** Shows something as degraded that is no concern, because no failure of it may stop the daemon; or no longer. */
    readonly show: (name: string, isDegraded: boolean) => Effect.Effect<void>
    /** The names of the concerns that have failed recently, and of what else is degraded. */
    readonly degraded: () => ReadonlyArray<string>
    /** The names of the concerns that have not ended, in the order of their start. */
    readonly running: () => ReadonlyArray<string>
    /** Returns the name of a concern that must stop the daemon. */
    readonly beyondHelp: Effect.Effect<string>
  }
>() {}

/** The number of defects within the window that stops the daemon. */
const maxDefects = 5
const windowMs = 60_000

/** The time after which a restarted concern no longer counts as degraded. */
const recoveryTime = Duration.seconds(10)

/** 1 2 4 8 seconds. */
const backoffMs = (defects: number): number => 1000 * 2 ** (defects - 1)

const make = Effect.gen(function* () {
  const events = yield* DaemonEvents
  let degraded: ReadonlyArray<string> = []
  const running = new Set<string>()
  const lost = yield* Deferred.make<string>()

  const show = (name: string, isDegraded: boolean) =>
    Effect.sync(() => {
      const others = degraded.filter((other) => other !== name)
      degraded = isDegraded ? [...others, name] : others
    })
  const unmark = Effect.fnUntraced(function* (name: string) {
    yield* show(name, false)
    yield* events.publish({ _tag: "ConcernRecovered", name })
  })

  const supervise = <E, R>(name: string, effect: Effect.Effect<unknown, E, R>, vital: boolean) =>
    Effect.gen(function* () {
      let defects: ReadonlyArray<number> = []
      const attempt = Effect.gen(function* () {
        if (defects.length > 0) yield* Effect.fork(Effect.delay(unmark(name), recoveryTime))
        yield* effect
        return yield* Effect.dieMessage("it ended although it should run for ever")
      })
      for (;;) {
        // A separate fiber ends its recovery timer with it, and turns an interruption from inside into a defect. An
        // interruption from outside ends this loop.
        const defect = yield* Effect.flip(Effect.sandbox(Effect.flatMap(Effect.fork(attempt), Fiber.join)))
        const cause = Cause.pretty(defect, { renderErrorCause: true })
        const nowMs = Number((yield* Clock.currentTimeNanos) / 1_000_000n)
        defects = [...defects.filter((at) => nowMs - at < windowMs), nowMs]
        yield* show(name, true)
        if (vital || defects.length >= maxDefects) {
          yield* events.publish({ _tag: "ConcernBeyondHelp", name, cause })
          yield* Deferred.succeed(lost, name)
          return yield* Effect.never
        }
        const retryInMs = backoffMs(defects.length)
        yield* events.publish({ _tag: "ConcernFailed", name, cause, retryInMs })
        yield* Effect.sleep(Duration.millis(retryInMs))
      }
    })

  return Concerns.of({
    run: (name, effect, options) =>
      supervise(name, effect, options?.vital ?? false).pipe(
        Effect.forkScoped,
        Effect.map((fiber) => {
          running.add(name)
          fiber.addObserver(() => void running.delete(name))
        })
      ),
    show,
    degraded: () => degraded,
    running: () => [...running],
    beyondHelp: Deferred.await(lost)
  })
})

export const layer: Layer.Layer<Concerns, never, DaemonEvents> = Layer.effect(Concerns, make)
