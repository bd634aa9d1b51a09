import * as Schema from "effect/Schema"

/** An optional field: absent, never null. */
export const perhaps = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** A non-negative integer: the original's client refuses even `1.0`. */
export const Count = Schema.NonNegativeInt
