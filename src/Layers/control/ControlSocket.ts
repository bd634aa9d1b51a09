import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { Concerns } from "../history/Concerns.ts"
import type { ControlHandler } from "./ControlHandler.ts"
import { bind } from "./ControlServer.ts"
import type { ControlServerError } from "./ControlServerError.ts"

/** The control socket of this home: bound when the layer is built, looked after for as long as it lives. */
export const layer: Layer.Layer<never, ControlServerError, AutopilotHome | Concerns | ControlHandler> =
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const { socket } = yield* AutopilotHome
      const { run } = yield* Concerns
      const { keep } = yield* bind({ path: socket })
      yield* run("control server", keep)
    })
  )
