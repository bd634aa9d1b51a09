import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"

/**
 * Logs exceptions and rejected promises of Node's callbacks, outside of every fiber. Without a listener Node would exit at
 * once and orphan the workers. The daemon's state is unknown afterwards, so that the daemon stops. Built above the daemon's
 * log, where a user looks for the stack; Node itself reports an earlier exception, when no worker runs.
 */
export class Uncaught extends Context.Tag("Uncaught")<
  Uncaught,
  {
    /** Returns after the first exception. */
    readonly first: Effect.Effect<void>
  }
>() {}

export const layer: Layer.Layer<Uncaught> = Layer.scoped(
  Uncaught,
  Effect.gen(function* () {
    const first = yield* Deferred.make<void>()
    const run = yield* FiberSet.makeRuntime<never>()
    const onException = (error: unknown): void => {
      run(
        Effect.logError(
          "An exception outside of every fiber: this is a bug in autopilotd, the daemon stops",
          Cause.die(error)
        )
      )
      Deferred.unsafeDone(first, Exit.void)
    }
    // Node writes warnings synchronously to standard error, which may be a stopped terminal.
    const onWarning = (warning: Error): void =>
      void run(Effect.logWarning(`Warning of Node: ${warning.message}`))
    // The listeners for exceptions stay: one during the shutdown must not cut that short.
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        process.removeAllListeners("warning")
        process.on("warning", onWarning)
        process.on("uncaughtException", onException)
        process.on("unhandledRejection", onException)
      }),
      () =>
        Effect.sync(() => {
          process.off("warning", onWarning)
        })
    )
    return { first: Deferred.await(first) }
  })
)
