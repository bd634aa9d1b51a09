import type { Shape } from "../Shape.ts"
import { shapeOf } from "../ShapeOf.ts"
import { SavedLimits } from "./LoginLimit.ts"

/** The form of `logins.json`. The build puts what this returns into a bundle. */
export const savedLimitsShape = (): Shape => shapeOf(SavedLimits.ast)
