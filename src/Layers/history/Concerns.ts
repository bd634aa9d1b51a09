import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import { DaemonEvents } from "./DaemonEvents.ts"

export interface ConcernOptions {
  /** The daemon cannot do without it: its first defect ends the daemon. */
  readonly vital?: boolean
}

/**
 * The long-running fibers of the daemon. A fiber that is forked inside a layer dies unseen, and the daemon would look
 * healthy without it; so every concern runs here. A defect is told with its cause, the concern is started again after
 * a pause and shown as degraded until it has run for a while; one that keeps failing ends the daemon.
 */
export class Concerns extends Context.Tag("Concerns")<
  Concerns,
  {
    /** Runs for as long as the scope. An end of `effect`, or a failure, counts as a defect: it should never end. */
    readonly run: <E, R>(
      name: string,
      effect: Effect.Effect<unknown, E, R>,
      options?: ConcernOptions
    ) => Effect.Effect<void, never, R | Scope.Scope>
    /** The names of those that do not work at the moment. */
    readonly degraded: Effect.Effect<ReadonlyArray<string>>
    /** Returns, naming the concern, when the daemon has to end because of one. */
    readonly beyondHelp: Effect.Effect<string>
  }
>() {}

/** This many defects of one concern within the window are one too many. */
const maxDefects = 5
const windowMs = 60_000

/** A concern that has run this long after a defect works again. */
const recoveryTime = Duration.seconds(10)

/** 1 2 4 8 seconds: the fifth defect ends the daemon. */
const pauseMs = (defects: number): number => 1000 * 2 ** (defects - 1)

const make = Effect.gen(function* () {
  const events = yield* DaemonEvents
  const degraded = yield* Ref.make<ReadonlySet<string>>(new Set())
  const lost = yield* Deferred.make<string>()

  const mark = (name: string) => Ref.update(degraded, (names) => new Set([...names, name]))
  const unmark = Effect.fnUntraced(function* (name: string) {
    yield* Ref.update(degraded, (names) => new Set([...names].filter((other) => other !== name)))
    yield* events.publish({ _tag: "ConcernRecovered", name })
  })

  const supervise = <E, R>(name: string, effect: Effect.Effect<unknown, E, R>, vital: boolean) =>
    Effect.gen(function* () {
      let defects: ReadonlyArray<number> = []
      const attempt = Effect.gen(function* () {
        if (defects.length > 0) yield* Effect.fork(Effect.delay(unmark(name), recoveryTime))
        yield* effect
        return yield* Effect.dieMessage("it ended, although it should run for ever")
      })
      for (;;) {
        // In a fiber of its own, so that its recovery timer ends with it, and so that an interruption which comes
        // from inside is seen as what it is. One from outside ends this loop here.
        const defect = yield* Effect.flip(Effect.sandbox(Effect.flatMap(Effect.fork(attempt), Fiber.join)))
        const cause = Cause.pretty(defect, { renderErrorCause: true })
        const nowMs = Number((yield* Clock.currentTimeNanos) / 1_000_000n)
        defects = [...defects.filter((at) => nowMs - at < windowMs), nowMs]
        yield* mark(name)
        if (vital || defects.length >= maxDefects) {
          yield* events.publish({ _tag: "ConcernBeyondHelp", name, cause })
          yield* Deferred.succeed(lost, name)
          return yield* Effect.never
        }
        const retryInMs = pauseMs(defects.length)
        yield* events.publish({ _tag: "ConcernFailed", name, cause, retryInMs })
        yield* Effect.sleep(Duration.millis(retryInMs))
      }
    })

  return Concerns.of({
    run: (name, effect, options) =>
      supervise(name, effect, options?.vital ?? false).pipe(Effect.forkScoped, Effect.asVoid),
    degraded: Effect.map(Ref.get(degraded), (names) => [...names]),
    beyondHelp: Deferred.await(lost)
  })
})

export const layer: Layer.Layer<Concerns, never, DaemonEvents> = Layer.effect(Concerns, make)
