/** The width that text for people keeps to, in columns. */
export const textColumns = 80

/** Words on as few lines as fit `columns`. A word longer than that has a line of its own. */
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

/** A paragraph, indented and wrapped. */
export const paragraph = (text: string, indent = 0): string =>
  wrapped(text, textColumns - indent)
    .map((line) => " ".repeat(indent) + line)
    .join("\n")

/**
 * Names on the left, what they mean on the right, in one column that begins at `column`. A name that reaches into
 * it has a line of its own.
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
