/** Joins names: `a`, `a and b`, `a, b and c`. */
export const listed = (names: ReadonlyArray<string>, conjunction: "and" | "or" = "and"): string =>
  names.length < 2
    ? names.join("")
    : `${names.slice(0, -1).join(", ")} ${conjunction} ${names.slice(-1).join("")}`

/** A sentence without its full stop, for a place that adds one or goes on. */
export const openEnded = (sentence: string): string => sentence.replace(/\.$/, "")

/** The width of text for users, in columns. */
export const textColumns = 80

/** Wraps a text at spaces to lines of at most `columns`. A longer word has a line of its own. */
export const wrapped = (text: string, columns: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const word of text.split(" ")) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= columns)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** Wraps a text to the width of the terminal, every line indented by `indent` columns. */
export const paragraph = (text: string, indent = 0): string =>
  wrapped(text, textColumns - indent)
    .map((line) => " ".repeat(indent) + line)
    .join("\n")

/**
 * Lists names with their meanings, which begin at `column` and are wrapped. A name that reaches into that column has a
 * line of its own.
 */
export const definitions = (
  entries: ReadonlyArray<readonly [name: string, meaning: string]>,
  column: number
): string =>
  entries
    .flatMap(([name, meaning]) => {
      const lines = wrapped(meaning, textColumns - column).map((line) => " ".repeat(column) + line)
      const head = `  ${name}`
      if (head.length + 2 > column) return [head, ...lines]
      return [head.padEnd(column) + (lines[0] ?? "").slice(column), ...lines.slice(1)]
    })
    .join("\n")
