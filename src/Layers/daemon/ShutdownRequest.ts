import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Mailbox from "effect/Mailbox"

/** Somebody wants the daemon to end. */
export interface Request {
  /** Who, for the log: `SIGTERM`, `asked on the control socket`. */
  readonly by: string
}

/**
 * Where everyone who wants the daemon to end says so. The first request begins the shutdown; each further one only
 * hastens it.
 */
export class ShutdownRequest extends Context.Tag("ShutdownRequest")<
  ShutdownRequest,
  {
    readonly ask: (by: string) => Effect.Effect<void>
    /** The next request, in the order they came. */
    readonly next: Effect.Effect<Request>
  }
>() {}

export const layer: Layer.Layer<ShutdownRequest> = Layer.effect(
  ShutdownRequest,
  Effect.gen(function* () {
    const requests = yield* Mailbox.make<Request>()
    return {
      ask: (by) => Effect.asVoid(requests.offer({ by })),
      next: Effect.orDie(requests.take)
    }
  })
)
