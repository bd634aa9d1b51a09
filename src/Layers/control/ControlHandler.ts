import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { ControlQuestion, ControlResponse } from "../../Domain/control/ControlProtocol.ts"
import type { SubscribeRequest } from "../../Domain/control/Subscription.ts"

/** A client that stays and is sent one line after the other. */
export interface Follower {
  /** Never waits. A client that does not read is cut off with a notice once too much waits for it. */
  readonly send: (line: string) => void
  /** Returns when the client is gone, or was cut off. */
  readonly gone: Effect.Effect<void>
}

/**
 * What the daemon does with a decoded request. It answers at once, with what was accepted and the state now; whoever
 * wants to follow a command asks for the status again, or subscribes. A request that was accepted is carried out even
 * when its client has gone. A defect costs one answer ("Internal error"), never the control server.
 */
export class ControlHandler extends Context.Tag("ControlHandler")<
  ControlHandler,
  {
    readonly handle: (request: ControlQuestion) => Effect.Effect<ControlResponse>
    /** Goes on until the follower is gone. Fails with the sentence that refuses it, before anything was sent. */
    readonly follow: (request: SubscribeRequest, follower: Follower) => Effect.Effect<void, string>
  }
>() {}
