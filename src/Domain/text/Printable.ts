import { plainAgain } from "./Style.ts"

/**
 * Characters that control a terminal or are invisible in it: controls, formatting marks such as those that reverse the
 * direction of text, halves of surrogate pairs, line and paragraph separators.
 */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

const familiar = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"]
])

const escaped = (character: string): string => {
  const code = character.codePointAt(0) ?? 0
  if (code <= 0xff) return familiar.get(character) ?? `\\x${code.toString(16).padStart(2, "0")}`
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, "0")}` : `\\u{${code.toString(16)}}`
}

/**
 * Makes untrusted text (a command line, a socket, a process's name) one line that cannot control a terminal: invisible
 * characters are escaped, and a text longer than `maxLength` characters ends in `...`.
 */
export const printable = (text: string, maxLength = Number.POSITIVE_INFINITY): string => {
  const cut = text.length > maxLength ? `${text.slice(0, Math.max(0, maxLength - 3))}...` : text
  return cut.replace(unseen, escaped)
}

/** Puts untrusted text in double quotes, at most 80 characters of it. */
export const quoted = (text: string): string => `"${printable(text, 80)}"`

/** A style sequence, and what resembles one: the linter refuses an escape character in a pattern. */
const styles = /(\p{Cc}\[[0-9;:]*m)/u
const isStyle = (part: string): boolean => part.startsWith("\u001b[")

const withTabs = (text: string): string =>
  text
    .split("\t")
    .map((part) => printable(part))
    .join("\t")

/**
 * Makes a worker's line safe for a terminal: tabs stay; colours stay where there is colour, and end with the line;
 * every other control is escaped.
 */
export const harmless = (text: string, colour: boolean): string => {
  if (!styles.test(text)) return withTabs(text)
  const parts = text.split(styles)
  const shown = parts.map((part) => (isStyle(part) ? (colour ? part : "") : withTabs(part))).join("")
  return colour ? `${shown}${plainAgain}` : shown
}
