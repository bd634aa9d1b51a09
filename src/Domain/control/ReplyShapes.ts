import type * as Schema from "effect/Schema"
import type { Shape } from "../Shape.ts"
import { shapeOf } from "../ShapeOf.ts"
import { replyTo } from "./ControlProtocol.ts"

/** The forms of answers, and which of them belongs to a type of request. */
export interface ReplyShapes {
  readonly shapes: ReadonlyArray<Shape>
  readonly of: Readonly<Record<string, number>>
}

/** The requests of the commands that only talk to the daemon. */
const quickTypes = [
  "Status",
  "StartWorker",
  "StopWorker",
  "RestartWorker",
  "ResetBudget",
  "SelectProject",
  "UseProject",
  "Budget",
  "Projects",
  "ReloadConfig",
  "GetConfig"
] as const satisfies ReadonlyArray<keyof typeof replyTo>

/** The shapes of the answers to the requests of quick commands. The build puts them into the bundle. */
export const replyShapes = (): ReplyShapes => {
  const schemas = [...new Set<Schema.Schema.AnyNoContext>(quickTypes.map((type) => replyTo[type]))]
  return {
    shapes: schemas.map(({ ast }) => shapeOf(ast)),
    of: Object.fromEntries(quickTypes.map((type) => [type, schemas.indexOf(replyTo[type])]))
  }
}
