import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Stream from "effect/Stream"
import type { EventCursor, Followed } from "../../Domain/relay/Followed.ts"
import { ControlClient, localConnection } from "../control/ControlClient.ts"
import { subscribe } from "../control/SubscriptionClient.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { follow } from "./Follow.ts"

/** The events of a daemon, across cut connections and its restarts. */
export class Following extends Context.Tag("Following")<
  Following,
  {
    /**
     * Follows from the event after the cursor, or from now on. Never fails and never ends: without a daemon it waits for
     * one.
     */
    readonly from: (cursor: EventCursor | undefined) => Stream.Stream<Followed>
  }
>() {}

export const layer: Layer.Layer<Following, never, ControlClient | AutopilotHome> = Layer.effect(
  Following,
  Effect.gen(function* () {
    const { request } = yield* ControlClient
    const { socket } = yield* AutopilotHome
    return { from: follow({ lines: subscribe(localConnection(socket), {}), request }) }
  })
)
