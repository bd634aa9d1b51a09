import type { Shape } from "../Shape.ts"
import { shapeOf } from "../ShapeOf.ts"
import { NotifyState } from "./NotifyState.ts"

/** The form of `notify.json`. The build puts what this returns into a bundle. */
export const notifyStateShape = (): Shape => shapeOf(NotifyState.ast)
