import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { subscriptionLineIn } from "../../Domain/control/ControlReply.ts"
import type { SubscribeRequest, SubscriptionLine } from "../../Domain/control/Subscription.ts"
import { jsonText } from "../../Domain/text/Printable.ts"
import { type ControlConnection, connect } from "./ControlClient.ts"

/** The daemon sends a sign of life every 15 seconds. */
const patience = "40 seconds"

/** The daemon cuts its lines; a longer one comes from another program. */
const maxLineLength = 8 * 2 ** 20

/** Lines of a type that this version does not know are left out, as the protocol asks. */
const known = (text: string): ReadonlyArray<SubscriptionLine> => {
  const line = subscriptionLineIn(text)
  return line === undefined ? [] : [line]
}

/**
 * Follows the daemon: the snapshot, then each event. Ends when the daemon ends it, or has been silent for too long. Fails
 * when no daemon listens.
 */
export const subscribe = (connection: ControlConnection, request: Omit<SubscribeRequest, "type">) =>
  Stream.unwrapScoped(
    Effect.map(connect(connection), (socket) =>
      Stream.async<string>((emit) => {
        let rest = ""
        socket.setEncoding("utf8")
        socket.on("data", (text: string) => {
          const lines = `${rest}${text}`.split("\n")
          rest = lines.pop() ?? ""
          if (rest.length > maxLineLength) socket.destroy()
          void Promise.all(lines.map((line) => emit.single(line)))
        })
        socket.once("close", () => void emit.end())
        socket.resume()
        socket.write(`${jsonText({ type: "Subscribe", ...request })}\n`)
      })
    )
  ).pipe(Stream.timeout(patience), Stream.mapConcat(known))
