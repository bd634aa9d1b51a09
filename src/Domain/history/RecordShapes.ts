import type { Shape } from "../Shape.ts"
import { shapeOf } from "../ShapeOf.ts"
import { DaemonEvent } from "./DaemonEvent.ts"
import { RecordHead } from "./HistoryRecord.ts"

/** The forms of a record: of the fields at its beginning, and of its event. The build puts what this returns into a bundle. */
export const recordShapes = (): { readonly head: Shape; readonly event: Shape } => ({
  head: shapeOf(RecordHead.ast),
  event: shapeOf(DaemonEvent.ast)
})
