import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { makeInbox } from "../concurrency/Inbox.ts"

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

export const layer: Layer.Layer<ShutdownRequest> = Layer.sync(ShutdownRequest, () => {
  const requests = makeInbox<Request>()
  return {
    ask: (by) => Effect.sync(() => requests.add({ by })),
    next: requests.take
  }
})
