import * as AutopilotHome from "../Layers/daemon/AutopilotHome.ts"
import * as Caller from "../Layers/daemon/Caller.ts"
import { inTurn } from "./InTurn.ts"

/** The layers that every command may use, beside its output. */
export const Surroundings = inTurn(AutopilotHome.layer, Caller.layer)
