import type * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { Count, MicroDollars, Moment } from "../Wire.ts"
import { replyTo } from "./ControlProtocol.ts"
import type { ReplyShapes, Shape } from "./ReplyShape.ts"

const isCount = (ast: SchemaAST.AST): boolean => [Count, Moment, MicroDollars].some((one) => one.ast === ast)

const shapeOf = (ast: SchemaAST.AST): Shape => {
  switch (ast._tag) {
    case "StringKeyword":
      return "string"
    case "NumberKeyword":
      return "number"
    case "BooleanKeyword":
      return "boolean"
    case "Literal":
      return ast.literal === null
        ? "null"
        : { literals: [ast.literal].filter((one) => typeof one !== "bigint") }
    case "Refinement":
      return isCount(ast) ? "count" : shapeOf(ast.from)
    case "Union": {
      const literals = ast.types.flatMap((one) =>
        SchemaAST.isLiteral(one) && typeof one.literal !== "bigint" ? [one.literal] : []
      )
      return literals.length === ast.types.length ? { literals } : { first: ast.types.map(shapeOf) }
    }
    case "TupleType": {
      const [element] = ast.rest
      if (element !== undefined && ast.elements.length === 0) return { list: shapeOf(element.type) }
      break
    }
    case "TypeLiteral":
      return objectShape(ast, ast)
    case "Transformation":
      if (SchemaAST.isTypeLiteral(ast.from) && SchemaAST.isTypeLiteral(ast.to))
        return objectShape(ast.from, ast.to)
      break
    default:
  }
  throw new Error(`An answer on the control socket has a part that no shape describes: ${String(ast)}`)
}

/** The shape of an object on the wire; `decoded` says what becomes of fields that are absent. */
const objectShape = (wire: SchemaAST.TypeLiteral, decoded: SchemaAST.TypeLiteral): Shape => {
  const [others] = wire.indexSignatures
  const isRequired = (key: PropertyKey) =>
    decoded.propertySignatures.some(({ isOptional, name }) => name === key && !isOptional)
  return {
    fields: wire.propertySignatures.map(({ isOptional, name, type }) => {
      const [key, shape] = [String(name), shapeOf(type)]
      if (!isOptional) return [key, shape]
      if (isRequired(name)) return [key, shape, "absentIsNull"]
      return [key, shape, takesNull(type) ? "nullIsAbsent" : "absent"]
    }),
    ...(others !== undefined && { others: shapeOf(others.type) })
  }
}

const takesNull = (ast: SchemaAST.AST): boolean =>
  (SchemaAST.isLiteral(ast) && ast.literal === null) || (SchemaAST.isUnion(ast) && ast.types.some(takesNull))

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
