const plain = /^[ -~]*$/

/** Making one takes 8 ms, a third of what Node needs to start, and most texts are plain. */
let made: Intl.Segmenter | undefined
const graphemesOf = (text: string): Intl.Segments => {
  made ??= new Intl.Segmenter("en", { granularity: "grapheme" })
  return made.segment(text)
}

/**
 * Whether it takes two cells of a terminal: the scripts of East Asia, and pictures. Node's Unicode tables know the characters. It
 * reads them to make the pattern, half a millisecond, which a function that is not called does not take.
 */
const isWide = (grapheme: string): boolean =>
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Yi}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]|\ufe0f/u.test(
    grapheme
  )

const isUnseen = (grapheme: string): boolean => /^[\p{Cc}\p{Cf}\p{Mn}\p{Me}\p{Zl}\p{Zp}]+$/u.test(grapheme)

const widthOf = (grapheme: string): number => (isWide(grapheme) ? 2 : isUnseen(grapheme) ? 0 : 1)

/** The number of cells of a terminal that a text without escapes takes. */
export const cellWidth = (text: string): number => {
  if (plain.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemesOf(text)) width += widthOf(segment)
  return width
}

/** The beginning of a text that takes at most so many cells; one that is cut ends in `…`. */
export const cutToCells = (text: string, cells: number): string => {
  // No text of fewer characters than cells is wide enough, but for those of two cells.
  if (text.length * 2 <= cells || cellWidth(text) <= cells) return text
  if (cells < 1) return ""
  let shown = ""
  let width = 0
  for (const { segment } of graphemesOf(text)) {
    width += widthOf(segment)
    if (width > cells - 1) break
    shown += segment
  }
  return `${shown}…`
}

/** A text in exactly so many cells. */
export const inCells = (text: string, cells: number, isRight = false): string => {
  const shown = cutToCells(text, cells)
  const padding = " ".repeat(Math.max(0, cells - cellWidth(shown)))
  return isRight ? `${padding}${shown}` : `${shown}${padding}`
}
