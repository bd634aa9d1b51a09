import * as AST from "effect/SchemaAST"
import { type Unit, unitOf } from "../Wire.ts"
import { answerSchemas } from "./AnswerSchemas.ts"
import type { TwinKeys } from "./Twins.ts"

/** The schemas of which a schema is made, each with the key of the field that has it. */
const partsOf = (ast: AST.AST): ReadonlyArray<readonly [key: string | undefined, part: AST.AST]> => {
  switch (ast._tag) {
    case "TypeLiteral":
      return [
        ...ast.propertySignatures.map(({ name, type }) => [String(name), type] as const),
        ...ast.indexSignatures.map(({ type }) => [undefined, type] as const)
      ]
    case "Union":
      return ast.types.map((type) => [undefined, type] as const)
    case "TupleType":
      return [...ast.elements, ...ast.rest].map(({ type }) => [undefined, type] as const)
    case "Refinement":
      return [[undefined, ast.from]]
    case "Transformation":
      return [[undefined, ast.from]]
    default:
      return []
  }
}

const collect = (ast: AST.AST, key: string | undefined, found: Map<string, Unit>): void => {
  const unit = unitOf(ast)
  if (unit !== undefined && key !== undefined) found.set(key, unit)
  // A value that may be null has the key of its field as well.
  for (const [inner, part] of partsOf(ast))
    collect(part, inner ?? (AST.isUnion(ast) ? key : undefined), found)
}

/** The keys of the values of these schemas that have twins. */
const keysIn = (schemas: ReadonlyArray<{ readonly ast: AST.AST }>): TwinKeys => {
  const found = new Map<string, Unit>()
  for (const { ast } of schemas) collect(ast, undefined, found)
  const of = (unit: Unit) => [...found].flatMap(([key, one]) => (one === unit ? [key] : []))
  return { moments: of("moment"), microDollars: of("micro-dollar") }
}

/** The keys with twins in the answers of all commands. */
export const twinKeys: TwinKeys = keysIn(Object.values(answerSchemas))
