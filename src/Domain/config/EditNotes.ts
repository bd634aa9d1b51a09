import { printable } from "../text/Printable.ts"

/** Begins each line that was put into a person's text for them to read. */
const mark = "#! autopilotd: "

/** The text with notes above it, each one line, for a person to read in their editor. */
export const withNotes = (text: string, notes: ReadonlyArray<string>): string =>
  [...notes.map((note) => `${mark}${printable(note)}\n`), text].join("")

/** The text without the notes, wherever they have got to. */
export const withoutNotes = (text: string): string =>
  text.replace(/(?<![^\n])#! autopilotd: [^\n]*(\n|$)/g, "")
