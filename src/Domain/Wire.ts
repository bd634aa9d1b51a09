import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"

/** A field with its meaning, which docs/json.md shows. */
export const field = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.propertySignature(schema).annotations({ description })

/** An optional field: absent, never null. */
export const perhaps = <A, I>(schema: Schema.Schema<A, I>, description = "") =>
  Schema.optionalWith(schema, { exact: true }).annotations(description === "" ? {} : { description })

/** A non-negative integer: the original's client refuses even `1.0`. */
export const Count = Schema.NonNegativeInt

const UnitId = Symbol.for("autopilotd/Wire/Unit")

/** A unit whose values `--json` also shows in another one: see `Domain/json/Twins.ts`. */
export type Unit = "moment" | "micro-dollar"

const inUnit =
  (unit: Unit) =>
  <A, I>(schema: Schema.Schema<A, I>): Schema.Schema<A, I> =>
    schema.annotations({ [UnitId]: unit })

/** Marks milliseconds since 1970. */
export const moment = inUnit("moment")

/** A moment in milliseconds since 1970. */
export const Moment = moment(Count)

/** Millionths of a US dollar. */
export const MicroDollars = inUnit("micro-dollar")(Count)

/** The unit of a number, where the schema marks one. */
export const unitOf = (ast: AST.AST): Unit | undefined =>
  Option.getOrUndefined(AST.getAnnotation<Unit>(ast, UnitId))
