import * as Schema from "effect/Schema"
import { counted } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import { aligned } from "../text/Table.ts"
import { textColumns, wrapped } from "../text/TextLayout.ts"
import { field, perhaps } from "../Wire.ts"

/** An error keeps the daemon or a worker from running; a warning may become one. */
const FindingLevel = Schema.Literal("ok", "warning", "error")
type FindingLevel = typeof FindingLevel.Type

/** The result of one check. */
export const Finding = Schema.Struct({
  about: field(Schema.String, "The subject, in a word or two"),
  level: field(FindingLevel, "An error keeps the daemon or a worker from running; a warning may become one"),
  text: field(Schema.String, "The result, in sentences"),
  cure: perhaps(Schema.String, "The action that fixes it. Absent when the level is `ok`")
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

/** Counts the errors and warnings: `2 errors and 1 warning.` */
export const summary = (findings: ReadonlyArray<Finding>): string => {
  const parts = (["error", "warning"] as const).flatMap((wanted) => {
    const count = findings.filter(({ level }) => level === wanted).length
    return count === 0 ? [] : [counted(count, wanted)]
  })
  return parts.length === 0 ? "No problems were found." : `${parts.join(" and ")}.`
}

const words: Record<FindingLevel, string> = { ok: "ok", warning: "warning", error: "ERROR" }

/** A command at the end of a cure, after a colon. */
const lastCommand = /^(.*:) ((?:(?!\. ).)+)$/

/** The lines of a cure. A command that does not fit has a line of its own: a wrapped one could not be copied. */
const cureLines = (cure: string, width: number): ReadonlyArray<string> => {
  const whole = `-> ${printable(cure)}`
  const [, lead, command] = lastCommand.exec(whole) ?? []
  return whole.length <= width || lead === undefined || command === undefined
    ? wrapped(whole, width)
    : [...wrapped(lead, width), command]
}

/** The columns of the level and the space between columns. */
const levelWidth = 11

/** Formats findings, one below the other with its fix, and their summary; ends in a newline. */
export const findingsText = (
  findings: ReadonlyArray<Finding>,
  { colour }: { readonly colour: boolean }
): string => {
  const width = textColumns - levelWidth - Math.max(0, ...findings.map(({ about }) => about.length))
  const rows = findings.flatMap(({ about, cure, level, text }) => {
    // Words are never cut: a path in a narrow column is better over the edge.
    const [first = "", ...rest] = [
      ...wrapped(printable(text), width),
      ...(cure === undefined ? [] : cureLines(cure, width))
    ]
    const word = { text: words[level], style: colour ? level : undefined }
    return [[word, about, first], ...rest.map((line) => ["", "", line])]
  })
  return [...aligned(rows), "", summary(findings)].map((line) => `${line}\n`).join("")
}
