/** A longer line is cut here, marked, and goes on as the next: no worker can make the daemon hold an endless line. */
export const maxLineBytes = 256 * 1024

const newline = 0x0a
const cutMark = Buffer.from(" [cut here: the line is longer]\n")

/** What came after the last newline. */
export type Rest = Buffer

export const noRest: Rest = Buffer.alloc(0)

/** Whole lines, each with its newline, in one piece: an object for every line would cost more than the lines. */
export type Lines = Buffer

/** The beginning of a line that is too long, as lines, and what is left of it. */
const cut = (line: Buffer): readonly [pieces: ReadonlyArray<Buffer>, left: Buffer] => {
  const pieces: Array<Buffer> = []
  let left = line
  for (; left.length > maxLineBytes; left = left.subarray(maxLineBytes)) {
    pieces.push(left.subarray(0, maxLineBytes), cutMark)
  }
  return [pieces, left]
}

const cutEach = (lines: Lines): Lines => {
  const pieces: Array<Buffer> = []
  let from = 0
  for (let at = lines.indexOf(newline); at !== -1; at = lines.indexOf(newline, from)) {
    const [before, left] = cut(lines.subarray(from, at))
    pieces.push(...before, left, lines.subarray(at, at + 1))
    from = at + 1
  }
  return Buffer.concat(pieces)
}

/**
 * Cuts a stream of bytes into whole lines. The bytes are never decoded, so that binary output and invalid UTF-8 pass
 * as they are. However the stream comes in chunks, the lines are the same.
 */
export const takeLines = (rest: Rest, chunk: Buffer): readonly [lines: Lines, rest: Rest] => {
  const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
  const end = bytes.lastIndexOf(newline) + 1
  const whole = bytes.subarray(0, end)
  const lines = whole.length > maxLineBytes ? cutEach(whole) : whole
  const [pieces, left] = cut(bytes.subarray(end))
  return [pieces.length === 0 ? lines : Buffer.concat([lines, ...pieces]), left]
}

/** The last line of a stream that ended without a newline. */
export const lastLine = (rest: Rest): Lines =>
  rest.length === 0 ? rest : Buffer.concat([rest, Buffer.of(newline)])

export const countLines = (lines: Lines): number => {
  let count = 0
  for (let at = lines.indexOf(newline); at !== -1; at = lines.indexOf(newline, at + 1)) count++
  return count
}

/** The same lines, each with `prefix` before it. */
export const prefixed = (prefix: Buffer, lines: Lines): Lines => {
  const result = Buffer.allocUnsafe(lines.length + countLines(lines) * prefix.length)
  let from = 0
  let to = 0
  for (let at = lines.indexOf(newline); at !== -1; at = lines.indexOf(newline, from)) {
    to += prefix.copy(result, to)
    to += lines.copy(result, to, from, at + 1)
    from = at + 1
  }
  return result
}
