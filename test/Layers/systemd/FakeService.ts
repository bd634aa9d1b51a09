import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ServiceMessage } from "../../../src/Domain/systemd/ServiceMessage.ts"
import { ServiceNotifier } from "../../../src/Layers/systemd/ServiceNotifier.ts"

/** A service manager that records messages. */
export const fakeService = (watchdogMs?: number) => {
  const messages: Array<ServiceMessage> = []
  const layer = Layer.succeed(ServiceNotifier, {
    channel: { _tag: "SystemdNotify" },
    watchdogMs,
    send: (message) => Effect.sync(() => void messages.push(message))
  })
  return { messages, layer }
}
