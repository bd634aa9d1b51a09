/**
 * Characters that act on a terminal or hide in it instead of being seen: controls, formatting marks such as the
 * ones that reverse the direction of text, halves of surrogate pairs, line and paragraph separators.
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
 * Text from elsewhere (a command line, a socket, a process's name) on one line that cannot drive a terminal: what
 * cannot be seen is shown escaped, and what is longer than `maxLength` characters ends in `...`.
 */
export const printable = (text: string, maxLength = Number.POSITIVE_INFINITY): string => {
  const cut = text.length > maxLength ? `${text.slice(0, Math.max(0, maxLength - 3))}...` : text
  return cut.replace(unseen, escaped)
}

/** Text from elsewhere in double quotes, at most 80 characters of it. */
export const quoted = (text: string): string => `"${printable(text, 80)}"`
/** What only changes how the text after it looks, and what resembles it. */
const colours = /(\p{Cc}\[[0-9;:]*m)/u
const isColour = (part: string): boolean => part.startsWith("\u001b[")
const withTabs = (text: string): string =>
  text
    .split("\t")
    .map((part) => printable(part))
    .join("\t")
/**
 * A line of a worker that cannot drive a terminal: tabs stay, and colours where there are any, which then end with the
 * line; all else that acts or hides is shown escaped.
 */

export const harmless = (text: string, colour: boolean): string => {
  if (!colours.test(text)) return withTabs(text)
  const parts = text.split(colours)
  const shown = parts.map((part) => (isColour(part) ? (colour ? part : "") : withTabs(part))).join("")
  return colour ? `${shown}\u001b[0m` : shown
}
