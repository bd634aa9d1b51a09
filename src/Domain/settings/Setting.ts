import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"

/** The documentation of one setting, from which messages, docs/settings.md and the JSON Schema are made. */
export interface SettingNote {
  /** One sentence. */
  readonly description: string
  /** The accepted values; completes the sentence "must be ...". */
  readonly expects: string
  /** The behaviour of an unset key, for a setting without a default value. */
  readonly unset?: string
  /** Why `[projects.NAME]` cannot set it; continues a sentence that begins with the key. */
  readonly topLevelOnly?: string
}

const noteId = Symbol.for("autopilotd/SettingNote")

/** The note of a schema, if the schema is that of a setting. */
export const noteOf: (ast: AST.Annotated) => Option.Option<SettingNote> =
  AST.getAnnotation<SettingNote>(noteId)

/** A schema with its note. */
export const noted = <A, I>(schema: Schema.Schema<A, I>, note: SettingNote): Schema.Schema<A, I> =>
  schema.annotations({ [noteId]: note })

/** A setting with a default. `key` is its name in the file. */
export const setting = <A, I, const K extends string>(
  key: K,
  schema: Schema.Schema<A, I>,
  byDefault: NoInfer<A>,
  note: SettingNote
) =>
  Schema.optionalWith(noted(schema, note), { exact: true, default: () => byDefault }).pipe(
    Schema.fromKey(key)
  )

/** A setting without a default. */
export const optionalSetting = <A, I, const K extends string>(
  key: K,
  schema: Schema.Schema<A, I>,
  note: SettingNote & { readonly unset: string }
) => Schema.optionalWith(noted(schema, note), { exact: true }).pipe(Schema.fromKey(key))

/** An optional table of settings that all have defaults. `description` is one sentence. */
export const table = <A, I, const K extends string>(
  key: K,
  schema: Schema.Schema<A, I>,
  description: string
) => {
  let byDefault: A | undefined
  return Schema.optionalWith(schema.annotations({ description }), {
    exact: true,
    default: () => (byDefault ??= Schema.decodeUnknownSync(schema)({}))
  }).pipe(Schema.fromKey(key))
}

/** Node's timers take no more: a longer delay would fire at once. */
const maxMilliseconds = 2 ** 31 - 1

/** A duration in milliseconds. */
export const Milliseconds = Schema.Int.pipe(Schema.between(0, maxMilliseconds))

/** A polling interval in milliseconds. Less than 50 would be a busy loop. */
export const IntervalMs = Schema.Int.pipe(Schema.between(50, maxMilliseconds))

/** An amount of memory or disk space. */
export const Bytes = Schema.NonNegativeInt

/** A text for an argument, a path or an environment value: the kernel ends each of them at a NUL. */
export const NulFree = Schema.String.pipe(Schema.filter((text) => !text.includes("\u0000")))

/** A NUL-free text that is not empty. */
export const Text = NulFree.pipe(Schema.minLength(1))

/** A value, or `false` for a setting that is switched off. */
export const orOff = <A, I>(schema: Schema.Schema<A, I>): Schema.Schema<A | false, I | false> =>
  Schema.Union(Schema.Literal(false), schema)

/** The bounds of `Milliseconds` in words. */
export const millisecondsExpected = `a whole number of milliseconds from 0 to ${maxMilliseconds}`

/** The bounds of `IntervalMs` in words. */
export const intervalExpected = `a whole number of milliseconds from 50 to ${maxMilliseconds}`

/** The bounds of `Bytes` in words. */
export const bytesExpected = "a whole number of bytes, at least 0"

/** `topLevelOnly` of a setting of the whole machine. */
export const aboutMachine = "is about the whole machine, not about one project: set it at the top level"

/** `topLevelOnly` of a setting of the whole daemon. */
export const aboutDaemon = "is about the whole daemon, not about one project: set it at the top level"
