import type { Shape } from "../Shape.ts"
import { shapeOf } from "../ShapeOf.ts"
import { ControlResponse } from "./ControlProtocol.ts"

/** The form of an answer as the daemon gives it. The build puts what this returns into a bundle. */
export const responseShape = (): Shape => shapeOf(ControlResponse.ast)
