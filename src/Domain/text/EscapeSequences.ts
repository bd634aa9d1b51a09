const esc = "\u001b"
const bel = "\u0007"

/** ECMA-48: a control sequence (colours), a string that ends with BEL or ST (a title, the clipboard), or another escape. */
const pattern = [
  `(?:${esc}\\[|\u009b)[0-?]*[ -/]*[@-~]?`,
  `(?:${esc}[\\]PX^_]|[\u0090\u0098\u009d-\u009f])[^${bel}${esc}\u009c]*(?:${bel}|${esc}\\\\|\u009c)?`,
  `${esc}[ -/]*[0-~]?`
].join("|")
const sequences = new RegExp(pattern, "g")
const separators = new RegExp(`(${pattern})`)

/** Returns a text without escape sequences, which hide the beginning of a coloured message. */
export const withoutEscapes = (text: string): string => text.replace(sequences, "")

/** Splits a text at its escape sequences: the parts with odd numbers are the sequences. */
export const escapeParts = (text: string): ReadonlyArray<string> => text.split(separators)

/**
 * Returns a line of output as a terminal shows it in the end: without escape sequences, and without what a carriage
 * return has overwritten.
 */
export const lineAsShown = (line: string): string => {
  const text = withoutEscapes(line)
  if (!text.includes("\r")) return text
  const written = text.split("\r")
  return written.findLast((part) => part.trim() !== "") ?? ""
}
