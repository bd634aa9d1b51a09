const isBlank = (character: string | undefined): boolean =>
  character === " " || character === "\t" || character === "\r" || character === "\n"

const blanksEnd = (text: string, from: number): number => {
  let at = from
  while (isBlank(text[at])) at++
  return at
}

/** The offset behind the string that begins at `from`; the length of the text when its end is missing. */
const stringEnd = (text: string, from: number): number => {
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0
    while (text[at - 1 - backslashes] === "\\") backslashes++
    if (backslashes % 2 === 0) return at + 1
  }
  return text.length
}

/** The offset behind the value that begins at `from`, however deep it is nested. */
const valueEnd = (text: string, from: number): number => {
  let depth = 0
  for (let at = from; at < text.length; ) {
    const character = text[at]
    if (character === '"') at = stringEnd(text, at)
    else if (depth === 0 && (character === "," || character === "}" || character === "]")) return at
    else {
      if (character === "{" || character === "[") depth++
      if (character === "}" || character === "]") depth--
      at++
    }
    if (depth === 0 && at > from && (character === '"' || character === "}" || character === "]")) return at
  }
  return text.length
}

/** A text or figure that matters is shorter. */
const maxValueLength = 300

/**
 * Returns the texts and figures of an object's own keys as they stand in its JSON, which may be cut anywhere. Keys of
 * nested objects do not count. Linear in the length of the text.
 */
export const ownKeys = (text: string): ReadonlyMap<string, string> => {
  const values = new Map<string, string>()
  let at = blanksEnd(text, 0) + 1
  for (;;) {
    at = blanksEnd(text, at)
    if (text[at] !== '"') return values
    const keyEnd = stringEnd(text, at)
    const key = text.slice(at + 1, keyEnd - 1)
    const colon = blanksEnd(text, keyEnd)
    if (text[colon] !== ":") return values
    const from = blanksEnd(text, colon + 1)
    const end = valueEnd(text, from)
    if (end - from <= maxValueLength && text[from] !== "{" && text[from] !== "[") {
      values.set(key, text.slice(from, end).trimEnd())
    }
    at = blanksEnd(text, end)
    if (text[at] !== ",") return values
    at++
  }
}
