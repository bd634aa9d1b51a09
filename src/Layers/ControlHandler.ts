import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { ControlRequest, ControlResponse } from "../Domain/ControlProtocol.ts"

/**
 * What the daemon does with a decoded request. It answers at once, with what was accepted and the state now; whoever
 * wants to follow a command asks for the status again. A request that was accepted is carried out even when its
 * client has gone. A defect costs one answer ("Internal error"), never the control server.
 */
export class ControlHandler extends Context.Tag("ControlHandler")<
  ControlHandler,
  { readonly handle: (request: ControlRequest) => Effect.Effect<ControlResponse> }
>() {}
