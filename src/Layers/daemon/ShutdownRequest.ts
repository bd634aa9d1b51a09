import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Mailbox from "effect/Mailbox"

/** A request to stop the daemon. */
interface Request {
  /** The source, for the log: `SIGTERM`, `requested on the control socket`. */
  readonly by: string
}

/** The queue of requests to stop the daemon. The first begins the shutdown; each further one cuts grace periods short. */
export class ShutdownRequest extends Context.Tag("ShutdownRequest")<
  ShutdownRequest,
  {
    readonly ask: (by: string) => Effect.Effect<void>
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
