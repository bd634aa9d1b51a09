/** How a piece of a line looks. Colours are those of the theme, 0 to 15, so that each is readable in the dark and by day. */
interface LineLook {
  readonly colour?: number
  readonly background?: number
  readonly isBold?: boolean
  readonly isDim?: boolean
  readonly isItalic?: boolean
  readonly isUnderlined?: boolean
  readonly isInverse?: boolean
}

export const plainLook: LineLook = {}

const levels = [0, 95, 135, 175, 215, 255]

/** The colour of the theme that comes nearest: no palette of 256 colours is readable on both backgrounds. */
const nearest = (red: number, green: number, blue: number): number => {
  const most = Math.max(red, green, blue)
  const least = Math.min(red, green, blue)
  if (most - least < 40) return most > 200 ? 15 : most > 120 ? 7 : most > 50 ? 8 : 0
  const middle = (most + least) / 2
  const hue = (red > middle ? 1 : 0) + (green > middle ? 2 : 0) + (blue > middle ? 4 : 0)
  return most > 200 ? hue + 8 : hue
}

/** One of the 256 colours of xterm: 16 named ones, a cube of 6 by 6 by 6, 24 greys. */
const ofPalette = (number: number): number | undefined => {
  if (!Number.isInteger(number) || number < 0 || number > 255) return undefined
  if (number < 16) return number
  if (number >= 232) return nearest(...grey(8 + (number - 232) * 10))
  const at = number - 16
  const level = (part: number) => levels[part % 6] ?? 0
  return nearest(level(Math.floor(at / 36)), level(Math.floor(at / 6)), level(at))
}

const grey = (light: number): [number, number, number] => [light, light, light]

/** Colours that more numbers follow: `38;5;N` and `38;2;R;G;B`. Returns how many numbers they take. */
const extended = (codes: ReadonlyArray<number>): readonly [colour: number | undefined, taken: number] => {
  const [kind, first = -1, second = 0, third = 0] = codes
  if (kind === 5) return [ofPalette(first), 2]
  if (kind === 2) return [nearest(first, second, third), 4]
  return [undefined, 1]
}

const simple = (look: LineLook, code: number): LineLook => {
  const { background: _background, colour: _colour, ...others } = look
  if (code === 0) return plainLook
  if (code === 1) return { ...look, isBold: true }
  if (code === 2) return { ...look, isDim: true }
  if (code === 3) return { ...look, isItalic: true }
  if (code === 4) return { ...look, isUnderlined: true }
  if (code === 7) return { ...look, isInverse: true }
  if (code === 22) return { ...look, isBold: false, isDim: false }
  if (code === 23) return { ...look, isItalic: false }
  if (code === 24) return { ...look, isUnderlined: false }
  if (code === 27) return { ...look, isInverse: false }
  if (code >= 30 && code <= 37) return { ...look, colour: code - 30 }
  if (code >= 90 && code <= 97) return { ...look, colour: code - 82 }
  if (code >= 40 && code <= 47) return { ...look, background: code - 40 }
  if (code >= 100 && code <= 107) return { ...look, background: code - 92 }
  if (code === 39) return look.background === undefined ? others : { ...others, background: look.background }
  if (code === 49) return look.colour === undefined ? others : { ...others, colour: look.colour }
  return look
}

const sgr = /^[^\d:;m]*\[?([\d:;]*)m$/

/** The look after an escape sequence; the same one after a sequence that sets none. */
export const lookAfter = (look: LineLook, sequence: string): LineLook => {
  const match = sgr.exec(sequence)
  if (match === null) return look
  const codes = (match[1] ?? "").split(/[:;]/).map(Number)
  let next = look
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? 0
    if (code !== 38 && code !== 48) next = simple(next, code)
    else {
      const [colour, taken] = extended(codes.slice(at + 1))
      at += taken
      if (colour !== undefined) next = { ...next, [code === 38 ? "colour" : "background"]: colour }
    }
  }
  return next
}

/** The classes of the style sheet. A background brings its own colour of text, which is readable on it. */
export const classesOf = (look: LineLook): string => {
  const background = look.isInverse === true ? (look.colour ?? 7) : look.background
  return [
    background === undefined ? look.colour !== undefined && `a-f${look.colour}` : `a-g${background % 8}`,
    look.isBold === true && "a-b",
    look.isDim === true && "a-d",
    look.isItalic === true && "a-i",
    look.isUnderlined === true && "a-u"
  ]
    .filter((name) => name !== false)
    .join(" ")
}
