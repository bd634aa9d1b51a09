import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"

/** What people are told about one setting. */
export interface SettingNote {
  /** One line for the README and `config check`. */
  readonly description: string
  /** The values it takes, such that "must be ..." reads as a sentence. */
  readonly expects: string
  /** What holds when it is not set, for a setting without a default value. */
  readonly unset?: string
  /** Why it cannot be set for one project, in `[projects.NAME]`; continues a sentence that begins with the key. */
  readonly topLevelOnly?: string
}

const noteId = Symbol.for("autopilotd/SettingNote")

/** The note on a schema, if it is one of a setting. */
export const noteOf: (ast: AST.Annotated) => Option.Option<SettingNote> =
  AST.getAnnotation<SettingNote>(noteId)

/** A schema with its note. */
export const noted = <A, I>(schema: Schema.Schema<A, I>, note: SettingNote): Schema.Schema<A, I> =>
  schema.annotations({ [noteId]: note })

/** A setting that has a default: `key` is its name in the file, the field's own name that in the program. */
export const setting = <A, I, const K extends string>(
  key: K,
  schema: Schema.Schema<A, I>,
  byDefault: NoInfer<A>,
  note: SettingNote
) =>
  Schema.optionalWith(noted(schema, note), { exact: true, default: () => byDefault }).pipe(
    Schema.fromKey(key)
  )

/** A setting that may be absent. */
export const optionalSetting = <A, I, const K extends string>(
  key: K,
  schema: Schema.Schema<A, I>,
  note: SettingNote & { readonly unset: string }
) => Schema.optionalWith(noted(schema, note), { exact: true }).pipe(Schema.fromKey(key))

/** A table of settings that all have defaults: it is itself optional. */
export const table = <A, I, const K extends string>(key: K, schema: Schema.Schema<A, I>) =>
  Schema.optionalWith(schema, { exact: true, default: () => Schema.decodeUnknownSync(schema)({}) }).pipe(
    Schema.fromKey(key)
  )

/** Node's timers take no more: a longer delay would fire at once. */
const maxMilliseconds = 2 ** 31 - 1

/** A duration in milliseconds. */
export const Milliseconds = Schema.Int.pipe(Schema.between(0, maxMilliseconds))

/** Milliseconds between two looks at something. Less than 50 would be a busy loop. */
export const IntervalMs = Schema.Int.pipe(Schema.between(50, maxMilliseconds))

/** An amount of memory. */
export const Bytes = Schema.NonNegativeInt

/** A text that can become an argument, a path or an environment value: the kernel ends each at a NUL. */
export const NulFree = Schema.String.pipe(Schema.filter((text) => !text.includes("\u0000")))

/** A NUL-free text that says something. */
export const Text = NulFree.pipe(Schema.minLength(1))

/** A value, or `false` for a setting that is switched off. */
export const orOff = <A, I>(schema: Schema.Schema<A, I>): Schema.Schema<A | false, I | false> =>
  Schema.Union(Schema.Literal(false), schema)

/** How the bounds of `Milliseconds` are told. */
export const millisecondsExpected = `a whole number of milliseconds from 0 to ${maxMilliseconds}`

/** How the bounds of `IntervalMs` are told. */
export const intervalExpected = `a whole number of milliseconds from 50 to ${maxMilliseconds}`

/** How the bounds of `Bytes` are told. */
export const bytesExpected = "a whole number of bytes, at least 0"

/** Why a setting of the whole machine cannot be set for one project. */
export const aboutMachine = "is about the whole machine, not about one project: set it at the top level"

/** Why a setting of the daemon cannot be set for one project. */
export const aboutDaemon = "is about the whole daemon, not about one project: set it at the top level"
