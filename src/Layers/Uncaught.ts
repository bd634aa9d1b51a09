import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Mailbox from "effect/Mailbox"

/**
 * Exceptions from callbacks of Node that no fiber sees. Without a listener Node would end the process at once and
 * orphan the worker.
 */
export class Uncaught extends Context.Tag("Uncaught")<
  Uncaught,
  { readonly next: Effect.Effect<Cause.Cause<never>> }
>() {}

export const layer: Layer.Layer<Uncaught> = Layer.scoped(
  Uncaught,
  Effect.gen(function* () {
    const causes = yield* Mailbox.make<Cause.Cause<never>>()
    const run = yield* FiberSet.makeRuntime<never>()
    const onException = (error: unknown): void => void causes.unsafeOffer(Cause.die(error))
    // Node writes warnings straight to standard error, which may be a terminal that takes nothing.
    const onWarning = (warning: Error): void => void run(Effect.logWarning(`Node warns: ${warning.message}`))
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
          process.off("unhandledRejection", onException)
        })
    )
    return { next: Effect.orDie(causes.take) }
  })
)
