import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { listed } from "../text/TextLayout.ts"
import { unitOf } from "../Wire.ts"
import { twinKeyOf } from "./Twins.ts"

/** One field of an answer: its path, whether it may be absent, its type, its unit and its meaning. */
interface FieldRow {
  readonly path: string
  readonly isOptional: boolean
  readonly type: string
  readonly unit: string
  readonly meaning: string
}

/** The objects that have a table of their own: the name of their section, and their schema. */
export type OwnTables = ReadonlyMap<AST.AST, string>

const description = ({ annotations }: AST.Annotated): string =>
  Option.getOrElse(AST.getDescriptionAnnotation({ annotations }), () => "")

/** A schema without null, and what it refines. */
const plain = (ast: AST.AST): AST.AST => {
  if (AST.isRefinement(ast)) return unitOf(ast) === undefined && !isInteger(ast) ? plain(ast.from) : ast
  if (AST.isTransformation(ast)) return plain(ast.from)
  return ast
}

const isInteger = (ast: AST.AST): boolean =>
  AST.isRefinement(ast) &&
  (Option.contains(AST.getSchemaIdAnnotation(ast), Schema.IntSchemaId) || isInteger(ast.from))

const isNull = (ast: AST.AST): boolean => AST.isLiteral(ast) && ast.literal === null

const typeOf = (given: AST.AST): string => {
  const ast = plain(given)
  switch (ast._tag) {
    case "StringKeyword":
      return "string"
    case "NumberKeyword":
      return "number"
    case "BooleanKeyword":
      return "boolean"
    case "Refinement":
      return isInteger(ast) ? "integer" : typeOf(ast.from)
    case "Literal":
      return `\`${String(ast.literal)}\``
    case "TupleType":
      return `list of ${typeOf(ast.rest[0]?.type ?? AST.unknownKeyword)}`
    case "TypeLiteral":
      return "object"
    case "Union":
      return listed([...new Set(ast.types.map(typeOf))], "or")
    default:
      return "any"
  }
}

const suffixUnits: ReadonlyArray<readonly [suffix: string, unit: string]> = [
  ["_bytes", "bytes"],
  ["_seconds", "s"],
  ["_per_mille", "‰"],
  ["_ms", "ms"],
  ["Ms", "ms"]
]

const unitIn = (key: string, ast: AST.AST): string => {
  const unit = unitsWithin(ast)
  if (unit === "moment") return "ms since 1970"
  if (unit === "micro-dollar") return "US$ / 1,000,000"
  return suffixUnits.find(([suffix]) => key.endsWith(suffix))?.[1] ?? ""
}

const unitsWithin = (ast: AST.AST): ReturnType<typeof unitOf> =>
  unitOf(ast) ?? (AST.isUnion(ast) ? ast.types.map(unitsWithin).find((one) => one !== undefined) : undefined)

/** The objects inside of a value, and what leads to them in a path. */
const objectsIn = (
  given: AST.AST,
  path: string,
  own: OwnTables
): ReadonlyArray<readonly [AST.AST, string]> => {
  const ast = plain(given)
  if (own.has(ast)) return [[ast, path]]
  if (AST.isTypeLiteral(ast)) return ast.propertySignatures.length === 0 ? [] : [[ast, path]]
  if (AST.isUnion(ast))
    return ast.types.filter((one) => !isNull(one)).flatMap((one) => objectsIn(one, path, own))
  if (AST.isTupleType(ast)) return ast.rest.flatMap(({ type }) => objectsIn(type, `${path}[]`, own))
  return []
}

/** The fields of an object, and those of the objects inside of it that have no table of their own. */
export const fieldRows = (ast: AST.TypeLiteral, own: OwnTables, before = ""): ReadonlyArray<FieldRow> => [
  ...ast.propertySignatures.flatMap((signature): ReadonlyArray<FieldRow> => {
    const { isOptional, name, type } = signature
    const key = String(name)
    const path = `${before}${key}`
    const inner = objectsIn(type, path, own)
    const elsewhere = inner.flatMap(([object]) => own.get(object) ?? [])
    const see = elsewhere.length === 0 ? "" : `: see [${elsewhere[0]}](#${elsewhere[0]})`
    const row = { path, isOptional, type: typeOf(type), unit: unitIn(key, type) }
    const twin = twinKeyOf(key, unitsWithin(type))
    return [
      { ...row, meaning: `${description(signature)}${see}` },
      ...(twin === undefined
        ? []
        : [
            {
              path: `${before}${twin.key}`,
              isOptional: isOptional || typeOf(type).includes("null"),
              type: twin.type,
              unit: twin.unit,
              meaning: "The same"
            }
          ]),
      ...inner.flatMap(([object, at]) =>
        own.has(object) || !AST.isTypeLiteral(object) ? [] : fieldRows(object, own, `${at}.`)
      )
    ]
  }),
  ...(ast.indexSignatures.length === 0 || ast.propertySignatures.length === 0
    ? []
    : [{ path: `${before}...`, isOptional: true, type: "any", unit: "", meaning: "All fields of its event" }])
]
