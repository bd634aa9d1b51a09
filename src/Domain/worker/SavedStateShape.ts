import type { Shape } from "../Shape.ts"
import { shapeOf } from "../ShapeOf.ts"
import { SavedState } from "./SavedState.ts"

/** The form of a state file. The build puts what this returns into a bundle. */
export const savedStateShape = (): Shape => shapeOf(SavedState.ast)
