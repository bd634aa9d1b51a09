import { printable } from "../text/Printable.ts"

/** Begins each line that was put into a person's text for them to read. */
const mark = "#! autopilotd: "

/** The text with notes above it, each one line, for a person to read in their editor. */
export const withNotes = (text: string, notes: ReadonlyArray<string>): string =>
  [...notes.map((note) => `${mark}${printable(note)}\n`), text].join("")

/** The text without the notes, wherever they have got to. */
export const withoutNotes = (text: string): string =>
  text.replace(/(?<![^\n])#! autopilotd: [^\n]*(\n|$)/g, "")
/**
 * The line of the text before an edit that stands at `line` of the text after it; both count from 1. Undefined for a
 * line that the edit has made or changed.
 */
export const lineBefore = (before: string, after: string, line: number): number | undefined => {
  const old = before.split("\n")
  const now = after.split("\n")
  const shorter = Math.min(old.length, now.length)
  let above = 0
  while (above < shorter && old[above] === now[above]) above++
  if (line <= above) return line
  let below = 0
  while (below < shorter - above && old.at(-1 - below) === now.at(-1 - below)) below++
  return line > now.length - below ? line - now.length + old.length : undefined
}
