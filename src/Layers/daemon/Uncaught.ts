import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"

/**
 * Exceptions from callbacks of Node that no fiber sees. Without a listener Node would end the process at once and
 * orphan the worker. Each is logged whole; what it has left undone nobody knows.
 */
export class Uncaught extends Context.Tag("Uncaught")<
  Uncaught,
  {
    /** Returns when there has been one. */
    readonly first: Effect.Effect<void>
  }
>() {}

export const layer: Layer.Layer<Uncaught> = Layer.scoped(
  Uncaught,
  Effect.gen(function* () {
    const first = yield* Deferred.make<void>()
    const run = yield* FiberSet.makeRuntime<never>()
    const onException = (error: unknown): void => {
      run(Effect.logError("An exception that nobody caught", Cause.die(error)))
      Deferred.unsafeDone(first, Exit.void)
    }
    // Node writes warnings straight to standard error, which may be a terminal that takes nothing.
    const onWarning = (warning: Error): void => void run(Effect.logWarning(`Node warns: ${warning.message}`))
    // Those for exceptions stay to the very end: one that comes while all is being closed must not cut that short.
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
