import { printable } from "./Printable.ts"

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
