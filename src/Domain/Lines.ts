/** A longer line is cut here, marked, and goes on as the next: no worker can make the daemon hold an endless line. */
export const maxLineBytes = 256 * 1024

const newline = 0x0a
const cutMark = Buffer.from(" [cut here: the line is longer]\n")

/** What came after the last newline. */
export type Rest = Buffer

export const noRest: Rest = Buffer.alloc(0)

/** The beginning of a line that is too long, cut into pieces, and what is left of it. */
const cut = (line: Buffer): readonly [pieces: ReadonlyArray<Buffer>, left: Buffer] => {
  const pieces: Array<Buffer> = []
  let left = line
  for (; left.length > maxLineBytes; left = left.subarray(maxLineBytes)) {
    pieces.push(Buffer.concat([left.subarray(0, maxLineBytes), cutMark]))
  }
  return [pieces, left]
}

/**
 * Cuts a stream of bytes into whole lines, each with its newline. The bytes are never decoded, so that binary output
 * and invalid UTF-8 pass as they are. However the stream comes in chunks, the lines are the same.
 */
export const splitLines = (
  rest: Rest,
  chunk: Buffer
): readonly [lines: ReadonlyArray<Buffer>, rest: Rest] => {
  const lines: Array<Buffer> = []
  let head = rest
  let from = 0
  for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
    const end = chunk.subarray(from, at + 1)
    if (head.length + end.length - 1 <= maxLineBytes) {
      lines.push(head.length === 0 ? end : Buffer.concat([head, end]))
    } else {
      const [pieces, left] = cut(Buffer.concat([head, chunk.subarray(from, at)]))
      lines.push(...pieces, Buffer.concat([left, Buffer.of(newline)]))
    }
    head = noRest
    from = at + 1
  }
  const [pieces, left] = cut(from < chunk.length ? Buffer.concat([head, chunk.subarray(from)]) : head)
  return [[...lines, ...pieces], left]
}

/** The last line of a stream that ended without a newline. */
export const lastLine = (rest: Rest): ReadonlyArray<Buffer> =>
  rest.length === 0 ? [] : [Buffer.concat([rest, Buffer.from("\n")])]
