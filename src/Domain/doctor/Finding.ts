import * as Schema from "effect/Schema"
import { printable } from "../text/Printable.ts"
import { textColumns, wrapped } from "../text/TextLayout.ts"
import { perhaps } from "../Wire.ts"

/** How bad it is: an error keeps the daemon or a worker from running, a warning will hurt some night. */
const FindingLevel = Schema.Literal("ok", "warning", "error")
type FindingLevel = typeof FindingLevel.Type

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
const words: Record<FindingLevel, string> = { ok: "ok", warning: "warning", error: "ERROR" }
const colours: Record<FindingLevel, number> = { ok: 32, warning: 33, error: 31 }
const levelWidth = 9
const lines = ({ about, cure, level, text }: Finding, aboutWidth: number, colour: boolean) => {
  const indent = levelWidth + aboutWidth + 2
  const word = colour ? `\u001b[${colours[level]}m${words[level]}\u001b[0m` : words[level]
  const padding = " ".repeat(levelWidth - words[level].length)
  // A path on a narrow terminal is better over the edge than cut: wrapping is by words.
  const [first = "", ...rest] = [
    ...wrapped(printable(text), textColumns - indent),
    ...(cure === undefined ? [] : wrapped(`-> ${printable(cure)}`, textColumns - indent))
  ]
  return [
    `${word}${padding}${about.padEnd(aboutWidth)}  ${first}`.trimEnd(),
    ...rest.map((line) => " ".repeat(indent) + line)
  ]
}
/** One screen: a line for each finding, the cure below it, and how many are not well; ends in a newline. */

export const findingsText = (
  findings: ReadonlyArray<Finding>,
  { colour }: { readonly colour: boolean }
): string => {
  const aboutWidth = Math.max(0, ...findings.map(({ about }) => about.length))
  return [...findings.flatMap((each) => lines(each, aboutWidth, colour)), "", summary(findings)]
    .map((line) => `${line}\n`)
    .join("")
}
