import * as Schema from "effect/Schema"

/**
 * A byte of a log that stays the same when files rotate: the file, by inode and birth, and the offset in it. What begins
 * before it is older, what begins after it is newer.
 */
export const LogPosition = Schema.String.pipe(
  Schema.pattern(/^[0-9a-z]{1,16}-[0-9a-z]{1,16}\.(?:-1|\d{1,15})$/),
  Schema.brand("LogPosition")
)
export type LogPosition = typeof LogPosition.Type

const choice = {
  /** A text to search for, in any case. */
  q: Schema.optional(Schema.String.pipe(Schema.maxLength(200))),
  stream: Schema.optional(Schema.Literal("out", "err", "note")),
  /** The least level. */
  level: Schema.optional(Schema.Literal("warning", "error")),
  /** Shows the lines of an agent as they are. */
  raw: Schema.optional(Schema.Literal("1"))
}

/** Which lines of the log a page wants, and how. */
export const LogChoice = Schema.Struct(choice)
export type LogChoice = typeof LogChoice.Type

/** A message of a page that shows new lines: from where on, and whether it wants the lines or only their number. */
export const LogFollow = Schema.Struct({
  ...choice,
  type: Schema.Literal("log"),
  after: Schema.optional(LogPosition),
  live: Schema.Boolean
})
export type LogFollow = typeof LogFollow.Type
