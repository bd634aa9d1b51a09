import type { Shape } from "../Shape.ts"
import { shapeOf } from "../ShapeOf.ts"
import { TreeTrace } from "./TreeTrace.ts"

/** The form of a trace. The build puts what this returns into a bundle. */
export const treeTraceShape = (): Shape => shapeOf(TreeTrace.ast)
