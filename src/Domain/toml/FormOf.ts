import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import type { Field, FieldNote, Form, TableForm, TextRule } from "./Form.ts"

/** The annotation of a schema with its note, and that of one which adds a rule to another. */
export const noteId: unique symbol = Symbol.for("autopilotd/SettingNote")
export const ruleId: unique symbol = Symbol.for("autopilotd/TextRule")

/** A key of a channel has no description of its own. */
const noteOf = AST.getAnnotation<FieldNote & { readonly description?: string }>(noteId)
const ruleOf = AST.getAnnotation<TextRule>(ruleId)

/** The form of values that a rule narrows: what it says of itself in JSON Schema, and its name where that cannot say all. */
const refined = (ast: AST.Refinement): Form => {
  const form = formOf(ast.from)
  if (!("is" in form)) throw new Error(`A rule narrows what is no text and no number: ${String(ast)}`)
  const brands = Option.getOrElse(AST.getBrandAnnotation(ast), (): ReadonlyArray<unknown> => [])
  const name = brands.includes("ProjectName") ? Option.some("projectName" as const) : ruleOf(ast)
  const inWords = Option.getOrElse(AST.getJSONSchemaAnnotation(ast), () => ({}))
  const isFinite = Option.contains(AST.getSchemaIdAnnotation(ast), Schema.FiniteSchemaId)
  if (Option.isNone(name) && Object.keys(inWords).length === 0 && !isFinite)
    throw new Error(`A rule has no name: ${String(ast)}`)
  const rules = { ...form.rules, ...inWords }
  const named = [...(form.named ?? []), ...Option.toArray(name)]
  return {
    is: form.is,
    ...(Object.keys(rules).length > 0 && { rules }),
    ...(named.length > 0 && { named })
  }
}

/** The key that says which of several tables one is. */
const kindOf = ({ fields }: TableForm) => {
  const [field, ...others] = fields.filter(({ form }) => "literals" in form && form.literals.length === 1)
  if (field === undefined || others.length > 0 || !("literals" in field.form) || !field.required) return
  return { key: field.key, name: field.name ?? field.key, word: String(field.form.literals[0]) }
}

const oneOf = (forms: ReadonlyArray<Form>, text: string): Form => {
  const tables = forms.flatMap((form) => ("fields" in form ? [form] : []))
  if (tables.length === 0) return { either: forms }
  const kinds = tables.map(kindOf)
  const [first] = kinds
  if (first === undefined || tables.length < forms.length || kinds.some((kind) => kind?.key !== first.key))
    throw new Error(`Tables that no key tells apart: ${text}`)
  return {
    by: first.key,
    as: first.name,
    kinds: Object.fromEntries(tables.map((table, index) => [kinds[index]?.word, table]))
  }
}

const tableOf = (
  { propertySignatures }: AST.TypeLiteral,
  renamed: ReadonlyArray<AST.PropertySignatureTransformation> = []
): TableForm => ({
  fields: propertySignatures.map(({ isOptional, name, type }): Field => {
    const key = String(name)
    const to = renamed.find(({ from }) => from === name)
    const form = formOf(type)
    const { description, ...note } = Option.getOrElse(noteOf(type), () => ({
      description: Option.getOrUndefined(AST.getDescriptionAnnotation(type))
    }))
    const byDefault: Option.Option<unknown> = to?.decode(Option.none()) ?? Option.none()
    return {
      key,
      ...(to !== undefined && to.to !== name && { name: String(to.to) }),
      form,
      ...(!isOptional && { required: true }),
      ...(Option.isSome(byDefault) && { byDefault: "fields" in form ? {} : byDefault.value }),
      ...("expects" in note && { note }),
      ...(description !== undefined && { description })
    }
  })
})

/**
 * The form of a schema of settings, its encoded side. Throws for a schema that no form describes: the build fails then, and a
 * test before.
 */
export const formOf = (ast: AST.AST): Form => {
  switch (ast._tag) {
    case "BooleanKeyword":
      return { is: "boolean" }
    case "NumberKeyword":
      return { is: "number" }
    case "StringKeyword":
      return { is: "string" }
    case "Literal":
      if (typeof ast.literal === "string" || typeof ast.literal === "boolean")
        return { literals: [ast.literal] }
      break
    case "Refinement":
      return refined(ast)
    case "Suspend":
      return formOf(ast.f())
    case "Union": {
      const forms = ast.types.map(formOf)
      const literals = forms.flatMap((form) => ("literals" in form ? form.literals : []))
      return literals.length === forms.length ? { literals } : oneOf(forms, String(ast))
    }
    case "TupleType": {
      const [first] = ast.elements
      const [rest] = ast.rest
      if (rest === undefined) break
      const list = formOf(rest.type)
      return first === undefined ? { list } : { list, first: formOf(first.type) }
    }
    case "TypeLiteral": {
      const [entry] = ast.indexSignatures
      return entry === undefined
        ? tableOf(ast)
        : { keys: formOf(entry.parameter), values: formOf(entry.type) }
    }
    case "Transformation":
      if (AST.isTypeLiteral(ast.from) && AST.isTypeLiteralTransformation(ast.transformation))
        return tableOf(ast.from, ast.transformation.propertySignatureTransformations)
      break
    default:
  }
  throw new Error(`The settings have a part that no form describes: ${String(ast)}`)
}

/** The form of a table, by its schema. */
export const formOfTable = (ast: AST.AST): TableForm => {
  const form = formOf(ast)
  if ("fields" in form) return form
  throw new Error(`A schema is none of a table: ${String(ast)}`)
}
