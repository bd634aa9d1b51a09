import * as Schema from "effect/Schema"

/** A field that is absent, never null, when there is nothing to say. */

export const perhaps = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })
/** A whole number, because the original's client refuses even `1.0`. */

export const Count = Schema.NonNegativeInt
