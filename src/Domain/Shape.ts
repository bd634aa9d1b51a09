import { isProjectName } from "./ProjectNameRules.ts"

/**
 * The form of a JSON value, as a table that `shapeOf` makes from a schema: reading one by it needs no Schema, which is
 * far larger than a quick command. It checks less than the schema in one point: a text may be any text.
 */
export type Shape =
  /** Any value. */
  | "any"
  | "string"
  /** One that is not empty. */
  | "text"
  | "number"
  /** One from 0 on. */
  | "from zero"
  | "integer"
  /** One from 0 on. */
  | "count"
  /** The name of a project. */
  | "project"
  | "boolean"
  | "null"
  /** One of some constants. */
  | { readonly literals: ReadonlyArray<string | number | boolean | null> }
  /** The form of an object by the word in one of its fields: an event has one of eighty. */
  | { readonly by: string; readonly forms: Readonly<Record<string, Shape>> }
  /** The first of some forms that fits. */
  | { readonly first: ReadonlyArray<Shape> }
  | { readonly list: Shape }
  /** An object: its fields in their order, and the form of all others; they are left out without one. */
  | { readonly fields: ReadonlyArray<Field>; readonly others?: Shape }

/** A required field has no word. One that is absent stays so, a null one counts as absent, or an absent one as null. */
type Field = readonly [key: string, shape: Shape, optional?: "absent" | "nullIsAbsent" | "absentIsNull"]

/** The value has another form. */
export const misfit = Symbol("misfit")

/** The value of a JSON text; `misfit` where it is none. */
export const jsonIn = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return misfit
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const firstKeyOf = (shape: Shape): string =>
  typeof shape === "object" && "fields" in shape ? (shape.fields[0]?.[0] ?? "") : ""

const fittedObject = (
  { fields, others }: Extract<Shape, { readonly fields: unknown }>,
  value: Readonly<Record<string, unknown>>,
  place: Array<string> | undefined
): unknown => {
  const result: Record<string, unknown> = {}
  for (const [key, shape, optional] of fields) {
    const given = Object.hasOwn(value, key) ? value[key] : undefined
    if (optional !== undefined && given === undefined) {
      if (optional === "absentIsNull") result[key] = null
      continue
    }
    if (optional === "nullIsAbsent" && given === null) continue
    const one = fitted(shape, given, place)
    if (one === misfit) {
      place?.unshift(key)
      return misfit
    }
    result[key] = one
  }
  if (others === undefined) return result
  for (const [key, given] of Object.entries(value)) {
    if (Object.hasOwn(result, key)) continue
    const one = fitted(others, given)
    if (one === misfit) return misfit
    result[key] = one
  }
  return result
}

const fittedList = (shape: Shape, values: ReadonlyArray<unknown>): unknown => {
  const result = values.map((value) => fitted(shape, value))
  return result.includes(misfit) ? misfit : result
}

/**
 * A JSON value without what its form does not name; `misfit` when it has another form. Then `place` gets the keys that lead to
 * the field that is wrong.
 */
export const fitted = (shape: Shape, value: unknown, place?: Array<string>): unknown => {
  const when = (fits: boolean) => (fits ? value : misfit)
  switch (shape) {
    case "any":
      return value
    case "null":
      return when(value === null)
    case "integer":
      return when(Number.isSafeInteger(value))
    case "count":
      return when(Number.isSafeInteger(value) && Number(value) >= 0)
    case "from zero":
      return when(typeof value === "number" && value >= 0)
    case "text":
      return when(typeof value === "string" && value !== "")
    case "project":
      return when(typeof value === "string" && isProjectName(value))
    case "string":
    case "number":
    case "boolean":
      return when(typeof value === shape)
    default:
  }
  if ("by" in shape) {
    const word = isObject(value) ? value[shape.by] : undefined
    const form = Object.hasOwn(shape.forms, String(word)) ? shape.forms[String(word)] : undefined
    return form === undefined ? misfit : fitted(form, value, place)
  }
  if ("literals" in shape) return when(shape.literals.some((literal) => literal === value))
  if ("first" in shape) {
    for (const one of shape.first) {
      const found = fitted(one, value)
      if (found !== misfit) return found
    }
    if (place !== undefined && isObject(value)) {
      // The form that is meant begins with a field that the value has.
      const meant = shape.first.find((one) => Object.hasOwn(value, firstKeyOf(one)))
      if (meant !== undefined) return fitted(meant, value, place)
    }
    return misfit
  }
  if ("list" in shape) return Array.isArray(value) ? fittedList(shape.list, value) : misfit
  return isObject(value) ? fittedObject(shape, value, place) : misfit
}

/**
 * A reader of JSON texts of one form, which is made for the first text; undefined for another form. `A` is the type of the schema
 * that `make` makes the form of.
 */
export const textReader = <A>(make: () => Shape): ((text: string) => A | undefined) => {
  let shape: Shape | undefined
  return (text) => {
    const value = fitted((shape ??= make()), jsonIn(text))
    return value === misfit ? undefined : (value as A)
  }
}
