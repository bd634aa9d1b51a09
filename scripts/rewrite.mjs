/**
 * Replaces each match of a pattern by what `replace` makes of it. `before` leads from an offset in the new text to the
 * offset in the old one, for source maps; from within a replacement, to the match.
 */
export const rewrite = (old, pattern, replace) => {
  // Where each stretch of the new text begins, here and in the old text. A replacement has no length in the old one.
  const stretches = [{ start: 0, old: 0, isKept: true }]
  let text = ""
  let read = 0
  for (const match of old.matchAll(pattern)) {
    text += old.slice(read, match.index)
    stretches.push({ start: text.length, old: match.index, isKept: false })
    text += replace(match)
    read = match.index + match[0].length
    stretches.push({ start: text.length, old: read, isKept: true })
  }
  return {
    text: text + old.slice(read),
    before: (offset) => {
      const stretch = stretches.findLast(({ start }) => start <= offset)
      return stretch.isKept ? stretch.old + offset - stretch.start : stretch.old
    }
  }
}

/** JavaScript that holds only ASCII. esbuild escapes characters in strings, and leaves those in regular expressions. */
export const escaped = ([character]) =>
  character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("")
