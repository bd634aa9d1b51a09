import { type Html, html } from "../html/Html.ts"
import { escapeParts } from "../text/EscapeSequences.ts"
import { harmless } from "../text/Printable.ts"
import { classesOf, lookAfter, plainLook } from "./LineColour.ts"

interface Piece {
  readonly text: string
  readonly classes: string
}

const control = /(?!\t)\p{Cc}/gu

/** Most lines are such, and need no further look. */
const plain = /^[\t -~]*$/

/** What a terminal does not print is dropped; marks that hide or reverse text become visible. */
const seen = (text: string): string => (plain.test(text) ? text : harmless(text.replace(control, ""), false))

/** Where the part begins and ends that a carriage return has not overwritten: the last one that is not blank. */
const lastWritten = (text: string): readonly [from: number, to: number] => {
  let to = text.length
  if (!text.includes("\r")) return [0, to]
  while (to > 0) {
    const from = text.lastIndexOf("\r", to - 1) + 1
    if (text.slice(from, to).trim() !== "") return [from, to]
    to = from - 1
  }
  return [0, 0]
}

/** The pieces of one line as a terminal shows it in the end. Colours end with the line. */
const pieces = (line: string): ReadonlyArray<Piece> => {
  if (plain.test(line)) return line === "" ? [] : [{ text: line, classes: "" }]
  const parts = escapeParts(line)
  const [from, to] = lastWritten(parts.filter((_, at) => at % 2 === 0).join(""))
  const shown: Array<Piece> = []
  let look = plainLook
  let offset = 0
  parts.forEach((part, at) => {
    if (at % 2 === 1) look = lookAfter(look, part)
    else {
      const text = seen(part.slice(Math.max(0, from - offset), Math.max(0, to - offset)))
      if (text !== "") shown.push({ text, classes: classesOf(look) })
      offset += part.length
    }
  })
  return shown
}

/** Matches a text as it is, in any case, for `split`. */
const finder = (text: string): RegExp => new RegExp(`(${text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")})`, "i")

const withMarks = (text: string, find: RegExp | undefined) =>
  find === undefined
    ? text
    : text.split(find).map((part, at) => (at % 2 === 1 ? html`<mark>${part}</mark>` : part))

/** A text of a worker as HTML: its colours as classes, and what was searched for marked. It may have several lines. */
export const lineMarkup = (text: string, searched?: string): Html => {
  const find = searched === undefined ? undefined : finder(searched)
  return html`${text
    .split("\n")
    .map((line, at) => [
      at > 0 && "\n",
      pieces(line).map(({ classes, text: piece }) =>
        classes === ""
          ? withMarks(piece, find)
          : html`<span class="${classes}">${withMarks(piece, find)}</span>`
      )
    ])}`
}
