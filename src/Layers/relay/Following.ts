import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { EventCursor, Followed } from "../../Domain/relay/Followed.ts"
import { openEnded } from "../../Domain/text/TextLayout.ts"
import { ControlClient, type ControlConnection, localConnection } from "../control/ControlClient.ts"
import { subscribe } from "../control/SubscriptionClient.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { follow, remoteRetryDelays } from "./Follow.ts"
import { OutletReports } from "./OutletReports.ts"

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

/** The daemon of another machine. Whether it can be reached is told as the outlet `connection`. */
export const layerElsewhere = (
  connection: ControlConnection
): Layer.Layer<Following, never, ControlClient | OutletReports> =>
  Layer.effect(
    Following,
    Effect.gen(function* () {
      const { request } = yield* ControlClient
      const { fails, works } = yield* OutletReports
      const outlet = "connection"
      const lines = subscribe(connection, {}).pipe(
        Stream.tap(({ type }) => Effect.when(works(outlet), () => type === "snapshot")),
        Stream.tapError(({ message }) => fails(outlet, openEnded(message)))
      )
      return { from: follow({ lines, request, retryDelays: remoteRetryDelays }) }
    })
  )
