import type * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { DaemonEvent } from "../history/DaemonEvent.ts"
import type { Shape } from "../Shape.ts"
import { shapeOf } from "../ShapeOf.ts"
import { replyTo } from "./ControlProtocol.ts"
import { SubscriptionLine } from "./Subscription.ts"

/** The forms of answers, and which of them belongs to a type of request. */
interface ReplyShapes {
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

const shapesOf = (types: ReadonlyArray<keyof typeof replyTo>): ReplyShapes => {
  const schemas = [...new Set<Schema.Schema.AnyNoContext>(types.map((type) => replyTo[type]))]
  return {
    shapes: schemas.map(({ ast }) => shapeOf(ast)),
    of: Object.fromEntries(types.map((type) => [type, schemas.indexOf(replyTo[type])]))
  }
}

/** The forms of the answers to the requests of quick commands. The build puts what this and the next ones return into a bundle. */
export const quickReplyShapes = (): ReplyShapes => shapesOf(quickTypes)

/** The forms of all that a client accepts: each answer, and a line to a subscriber but for its event, which `recordShapes` has. */
export const replyShapes = (): ReplyShapes & { readonly line: Shape } => ({
  ...shapesOf(Struct.keys(replyTo)),
  line: shapeOf(SubscriptionLine.ast, DaemonEvent.ast)
})
