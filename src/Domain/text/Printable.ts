import { isStyle, plainAgain } from "./Style.ts"

/**
 * Characters that control a terminal or are invisible in it: controls, formatting marks such as those that reverse the
 * direction of text, halves of surrogate pairs, line and paragraph separators.
 */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** V8 takes as long for the sets of Unicode in a pattern as for all else in the text of a status, which is plain. */
const plain = /^[ -~]*$/
const plainLines = /^[\t\n -~]*$/

const familiar = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"]
])

/** The form in JSON, where a control of ASCII can only stand as an escape already. */
const inJson = (character: string): string =>
  character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("")

const escaped = (character: string): string => {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20) return familiar.get(character) ?? `\\x${code.toString(16).padStart(2, "0")}`
  return inJson(character)
}

/**
 * Makes untrusted text (a command line, a socket, a process's name) one line that cannot control a terminal: invisible
 * characters are escaped, and a text longer than `maxLength` characters ends in `...`.
 */
export const printable = (text: string, maxLength = Number.POSITIVE_INFINITY): string => {
  const cut = text.length > maxLength ? `${text.slice(0, Math.max(0, maxLength - 3))}...` : text
  return plain.test(cut) ? cut : cut.replace(unseen, escaped)
}

/** Puts untrusted text in double quotes, at most 80 characters of it. */
export const quoted = (text: string): string => `"${printable(text, 80)}"`

/** A style sequence, and what resembles one: the linter refuses an escape character in a pattern. */
const styles = /(\p{Cc}\[[0-9;:]*m)/u
const isColour = (part: string): boolean => part.startsWith("\u001b[")

const escapedBut = (kept: string, text: string): string =>
  text.replace(unseen, (character) => (kept.includes(character) ? character : escaped(character)))

/**
 * Makes a worker's line safe for a terminal and for the journal: tabs stay; colours stay where there is colour, and end
 * with the line; the return of a CRLF is dropped, and every other control is escaped.
 */
export const harmless = (text: string, colour: boolean): string => {
  const line = text.endsWith("\r") ? text.slice(0, -1) : text
  if (!styles.test(line)) return escapedBut("\t", line)
  const parts = line.split(styles)
  const shown = parts.map((part) => (isColour(part) ? (colour ? part : "") : escapedBut("\t", part))).join("")
  return colour ? `${shown}${plainAgain}` : shown
}

/**
 * Makes text of autopilotd itself safe, in which names and reasons from elsewhere may stand: newlines, tabs and styles
 * stay. JSON stays JSON of the same value.
 */
export const harmlessText = (text: string): string =>
  plainLines.test(text)
    ? text
    : text
        .split(styles)
        .map((part) => (isStyle(part) ? part : escapedBut("\n\t", part)))
        .join("")

/**
 * Makes an entry of a log of autopilotd safe. Every further line is indented, so that no text in it can pass for an entry
 * of its own.
 */
export const harmlessEntry = (text: string): string => escapedBut("\n\t", text).replaceAll("\n", "\n    ")

/** Half of a surrogate pair becomes U+FFFD: as an escape it is legal JSON, but strict parsers refuse it. */
const wellFormed = (_key: string, value: unknown): unknown =>
  typeof value === "string" ? value.replace(/\p{Cs}/gu, "\ufffd") : value

/** Encodes a value as one line of JSON. It cannot control a terminal: `JSON.stringify` escapes only controls of ASCII. */
export const jsonText = (value: unknown): string => JSON.stringify(value, wellFormed).replace(unseen, inJson)
