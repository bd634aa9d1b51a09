import * as Layer from "effect/Layer"
import * as AutopilotHome from "../Layers/daemon/AutopilotHome.ts"
import * as Caller from "../Layers/daemon/Caller.ts"

/** The layers that every command may use, beside its output. */
export const Surroundings = Layer.merge(AutopilotHome.layer, Caller.layer)
