/** A longer line is cut here, marked, and goes on as the next: no worker can make the daemon hold an endless line. */
export const maxLineBytes = 256 * 1024

const newline = 0x0a
const cutMark = Buffer.from(" [cut here: the line is longer]\n")

/** What came after the last newline. */
export type Rest = Buffer

export const noRest: Rest = Buffer.alloc(0)

/**
 * Cuts a stream of bytes into whole lines, each with its newline. The bytes are never decoded, so that binary output
 * and invalid UTF-8 pass as they are.
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
    lines.push(head.length === 0 ? end : Buffer.concat([head, end]))
    head = noRest
    from = at + 1
  }
  let tail = from < chunk.length ? Buffer.concat([head, chunk.subarray(from)]) : head
  while (tail.length > maxLineBytes) {
    lines.push(Buffer.concat([tail.subarray(0, maxLineBytes), cutMark]))
    tail = tail.subarray(maxLineBytes)
  }
  return [lines, tail]
}

/** The last line of a stream that ended without a newline. */
export const lastLine = (rest: Rest): ReadonlyArray<Buffer> =>
  rest.length === 0 ? [] : [Buffer.concat([rest, Buffer.from("\n")])]
