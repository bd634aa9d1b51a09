import * as Schema from "effect/Schema"
import { perhaps } from "../status/StatusData.ts"

/** How bad it is: an error keeps the daemon or a worker from running, a warning will hurt some night. */
export const FindingLevel = Schema.Literal("ok", "warning", "error")
export type FindingLevel = typeof FindingLevel.Type

/** What a look at one thing has shown. */
export const Finding = Schema.Struct({
  /** The thing, in a word or two. */
  about: Schema.String,
  level: FindingLevel,
  /** What was seen, in sentences. */
  text: Schema.String,
  /** What to do about it, where it is not well. */
  cure: perhaps(Schema.String)
})
export type Finding = typeof Finding.Type

export const fine = (about: string, text: string): Finding => ({ about, level: "ok", text })

export const warning = (about: string, text: string, cure: string): Finding => ({
  about,
  level: "warning",
  text,
  cure
})

export const error = (about: string, text: string, cure: string): Finding => ({
  about,
  level: "error",
  text,
  cure
})

export const hasErrors = (findings: ReadonlyArray<Finding>): boolean =>
  findings.some(({ level }) => level === "error")

const counted = (count: number, word: string): ReadonlyArray<string> =>
  count === 0 ? [] : [`${count} ${word}${count === 1 ? "" : "s"}`]

/** All of it in one sentence: `2 errors and 1 warning`. */
export const summary = (findings: ReadonlyArray<Finding>): string => {
  const count = (wanted: FindingLevel) => findings.filter(({ level }) => level === wanted).length
  const parts = [...counted(count("error"), "error"), ...counted(count("warning"), "warning")]
  return parts.length === 0 ? "All is well." : `${parts.join(" and ")}.`
}
