import * as Schema from "effect/Schema"
import type { Shape } from "../Shape.ts"
import { shapeOf } from "../ShapeOf.ts"
import { Finding } from "./Finding.ts"

/** The form of the answer of `doctor --json`. The build puts what this returns into a bundle. */
export const doctorAnswerShape = (): Shape =>
  shapeOf(Schema.Struct({ data: Schema.Struct({ findings: Schema.Array(Finding) }) }).ast)
