/** A part of a text that is replaced. An insertion has `start === end`. Offsets count UTF-16 units. */
export interface Replacement {
  readonly start: number
  readonly end: number
  readonly text: string
}

export const insertion = (at: number, text: string): Replacement => ({ start: at, end: at, text })

export const removal = (start: number, end: number): Replacement => ({ start, end, text: "" })

/** Replaces parts of a text. They are in the order of the text and do not overlap. */
export const replaced = (text: string, parts: ReadonlyArray<Replacement>): string => {
  let result = ""
  let at = 0
  for (const part of parts) {
    result += text.slice(at, part.start) + part.text
    at = part.end
  }
  return result + text.slice(at)
}

/** The start of the line that has this offset. */
export const lineStart = (text: string, offset: number): number =>
  offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1

/** The start of the next line, or the end of the text. */
export const nextLine = (text: string, offset: number): number => {
  const newline = text.indexOf("\n", offset)
  return newline === -1 ? text.length : newline + 1
}

/** The end of the line that has this offset, without its line break. */
export const lineEnd = (text: string, offset: number): number => {
  const newline = text.indexOf("\n", offset)
  if (newline === -1) return text.length
  return newline > offset && text[newline - 1] === "\r" ? newline - 1 : newline
}

/** The white space at the beginning of the line that has this offset. */
export const indentAt = (text: string, offset: number): string => {
  const start = lineStart(text, offset)
  return /^[ \t]*/.exec(text.slice(start, lineEnd(text, start)))?.[0] ?? ""
}

/** True when a text is only white space and line breaks. */
export const isBlank = (text: string): boolean => /^[ \t\r\n]*$/.test(text)

/** The kind of line break at an offset: that of its line, or the last one before it. */
export const lineBreakAt = (text: string, offset: number): "\n" | "\r\n" => {
  const own = text.indexOf("\n", offset)
  const newline = own === -1 ? text.lastIndexOf("\n") : own
  return newline > 0 && text[newline - 1] === "\r" ? "\r\n" : "\n"
}

/** The line and column of an offset. */
export const positionOf = (text: string, offset: number): Position => ({
  line: text.slice(0, offset).split("\n").length,
  column: offset - lineStart(text, offset) + 1
})

/** Removes whole lines. For last lines without a line break, the line break before them is removed instead. */
export const lineRemoval = (text: string, start: number, end: number): Replacement => {
  const from = lineStart(text, start)
  const to = nextLine(text, end)
  if (to < text.length || text.endsWith("\n") || from === 0) return removal(from, to)
  return removal(lineEnd(text, lineStart(text, from - 1)), to)
}

/** Inserts lines below the line that has an offset. A text without a line break at its end stays so. */
export const linesBelow = (text: string, offset: number, lines: ReadonlyArray<string>): Replacement => {
  const lineBreak = lineBreakAt(text, offset)
  const at = nextLine(text, offset)
  const isBroken = text[at - 1] === "\n"
  return insertion(
    at,
    isBroken || text === ""
      ? lines.map((line) => line + lineBreak).join("")
      : lines.map((line) => lineBreak + line).join("")
  )
}

/** A place in a file; both count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}
