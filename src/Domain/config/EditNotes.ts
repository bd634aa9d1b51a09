import { printable } from "../text/Printable.ts"

/** The beginning of each line that the daemon adds to a user's text. */
const mark = "#! autopilotd: "

/** Adds notes above the text, each on one line, for the user to read in the editor. */
export const withNotes = (text: string, notes: ReadonlyArray<string>): string =>
  [...notes.map((note) => `${mark}${printable(note)}\n`), text].join("")

/** Removes the notes, wherever the user has moved them. */
export const withoutNotes = (text: string): string =>
  text.replace(/(?<![^\n])#! autopilotd: [^\n]*(\n|$)/g, "")

/**
 * Maps a line of the text after an edit to its line before the edit; both count from 1. Undefined for a line that the
 * edit has added or changed.
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
