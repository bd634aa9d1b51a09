import type { Shape } from "../Shape.ts"
import { shapeOf } from "../ShapeOf.ts"
import { SavedSamples } from "./SamplesData.ts"

/** The form of the saved timeline. The build puts what this returns into a bundle. */
export const savedSamplesShape = (): Shape => shapeOf(SavedSamples.ast)
