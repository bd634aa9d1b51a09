import * as Schema from "effect/Schema"
import { type FieldNote, type TextRule, textRules } from "../toml/Form.ts"
import { noteId, ruleId } from "../toml/FormOf.ts"

/** The documentation of one setting, from which messages, docs/settings.md and the JSON Schema are made. */
export interface SettingNote extends FieldNote {
  /** One sentence. */
  readonly description: string
}

/** Narrows texts by a rule that JSON Schema cannot say. */
export const ruled = (name: TextRule) =>
  Schema.filter<Schema.Schema<string>>(textRules[name], { [ruleId]: name })

/** A schema with the words that complete "must be ...", for a key inside of a setting. */
export const expecting = <A, I>(schema: Schema.Schema<A, I>, expects: string): Schema.Schema<A, I> =>
  schema.annotations({ [noteId]: { expects } })

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

/** A text for an argument, a path or an environment value. */
export const NulFree = Schema.String.pipe(ruled("nulFree"))

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
