import * as SchemaAST from "effect/SchemaAST"
import { ProjectName } from "./Project.ts"
import type { Shape } from "./Shape.ts"

/** The form of values that a rule narrows, by what the rule says of itself in JSON Schema. */
const refined = ({ annotations, from }: SchemaAST.Refinement, left?: SchemaAST.AST): Shape => {
  const shape = shapeOf(from, left)
  const rule: object = { ...Object(annotations[SchemaAST.JSONSchemaAnnotationId]) }
  const says = (key: string, value: unknown) =>
    Object.entries(rule).some(([k, v]) => k === key && v === value)
  if (shape === "string" && says("minLength", 1)) return "text"
  if (says("type", "integer")) return shape === "from zero" ? "count" : "integer"
  return shape === "number" && says("minimum", 0) ? "from zero" : shape
}

/**
 * The form of a schema's values on the wire. The part `left` may have any form: it is read by another one. Throws for a schema
 * that no form describes: where one is made when the daemon is built, that is a failed build, and a test elsewhere.
 */
export const shapeOf = (ast: SchemaAST.AST, left?: SchemaAST.AST): Shape => {
  if (ast === left) return "any"
  switch (ast._tag) {
    case "UnknownKeyword":
      return "any"
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
      return ast === ProjectName.ast ? "project" : refined(ast, left)
    case "Union": {
      const literals = ast.types.flatMap((one) =>
        SchemaAST.isLiteral(one) && typeof one.literal !== "bigint" ? [one.literal] : []
      )
      return literals.length === ast.types.length
        ? { literals }
        : oneOf(ast.types.map((type) => shapeOf(type, left)))
    }
    case "TupleType": {
      const [element] = ast.rest
      if (element !== undefined && ast.elements.length === 0) return { list: shapeOf(element.type, left) }
      break
    }
    case "TypeLiteral":
      return objectShape(ast, ast, left)
    case "Transformation":
      if (SchemaAST.isTypeLiteral(ast.from) && SchemaAST.isTypeLiteral(ast.to))
        return objectShape(ast.from, ast.to, left)
      break
    default:
  }
  throw new Error(`A schema has a part that no shape describes: ${String(ast)}`)
}

const tag = "_tag"

/** A form by its tag; nothing for one that does not begin with one tag. */
const underTag = (shape: Shape): Readonly<Record<string, Shape>> => {
  if (typeof shape === "string" || !("fields" in shape)) return {}
  const [[key, is, optional] = [], ...fields] = shape.fields
  if (key !== tag || optional !== undefined || typeof is !== "object" || !("literals" in is)) return {}
  const [word, ...others] = is.literals
  // The word is known where the form is looked up.
  return others.length > 0 ? {} : { [String(word)]: { ...shape, fields: [[tag, "string"], ...fields] } }
}

/** One of some forms; by its tag where each form has one of its own. */
const oneOf = (shapes: ReadonlyArray<Shape>): Shape => {
  const forms = Object.fromEntries(shapes.flatMap((shape) => Object.entries(underTag(shape))))
  return Object.keys(forms).length === shapes.length ? { by: tag, forms } : { first: shapes }
}

/** The shape of an object on the wire; `decoded` says what becomes of fields that are absent. */
const objectShape = (
  wire: SchemaAST.TypeLiteral,
  decoded: SchemaAST.TypeLiteral,
  left?: SchemaAST.AST
): Shape => {
  const [others] = wire.indexSignatures
  const isRequired = (key: PropertyKey) =>
    decoded.propertySignatures.some(({ isOptional, name }) => name === key && !isOptional)
  return {
    fields: wire.propertySignatures.map(({ isOptional, name, type }) => {
      const [key, shape] = [String(name), shapeOf(type, left)]
      if (!isOptional) return [key, shape]
      if (isRequired(name)) return [key, shape, "absentIsNull"]
      return takesNull(type) ? [key, withoutNull(shape), "nullIsAbsent"] : [key, shape, "absent"]
    }),
    ...(others !== undefined && { others: shapeOf(others.type, left) })
  }
}

const takesNull = (ast: SchemaAST.AST): boolean =>
  (SchemaAST.isLiteral(ast) && ast.literal === null) || (SchemaAST.isUnion(ast) && ast.types.some(takesNull))

/** Null counts as absent before the form is looked at. */
const withoutNull = (shape: Shape): Shape => {
  if (typeof shape === "string" || !("first" in shape)) return shape
  const [only = shape, ...others] = shape.first.filter((one) => one !== "null")
  return others.length === 0 ? only : { first: [only, ...others] }
}
