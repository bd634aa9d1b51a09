import { masked, noSecrets, type Secrets, type Span } from "./Secrets.ts"

/** A longer line is cut here, marked, and goes on as the next: no worker can make the daemon hold an endless line. */
export const maxLineBytes = 256 * 1024

const newline = 0x0a
const cutMark = Buffer.from(" [cut here: the line is longer]\n")

/** What came after the last newline. */
interface Rest {
  readonly bytes: Buffer
  /** How many bytes at its beginning are the end of a secret that began before the line was cut. */
  readonly coveredBytes: number
}

export const noRest: Rest = { bytes: Buffer.alloc(0), coveredBytes: 0 }

/** Whole lines, each with its newline, in one piece: an object for every line would cost more than the lines. */
export type Lines = Buffer

/** Where a line that is too long is cut: not in the middle of a character, if it is text. */
const cutAt = (line: Buffer): number => {
  for (let at = maxLineBytes; at > maxLineBytes - 4; at--) if (((line[at] ?? 0) & 0xc0) !== 0x80) return at
  return maxLineBytes
}

const cutEach = (lines: Lines): Lines => {
  const pieces: Array<Buffer> = []
  let from = 0
  for (let at = lines.indexOf(newline); at !== -1; at = lines.indexOf(newline, from)) {
    let line = lines.subarray(from, at + 1)
    while (line.length - 1 > maxLineBytes) {
      const end = cutAt(line)
      pieces.push(line.subarray(0, end), cutMark)
      line = line.subarray(end)
    }
    pieces.push(line)
    from = at + 1
  }
  return Buffer.concat(pieces)
}

/** What must not be seen of bytes that go on with a rest. */
const spansIn = (bytes: Buffer, coveredBytes: number, secrets: Secrets): ReadonlyArray<Span> =>
  coveredBytes === 0
    ? secrets.find(bytes)
    : [{ start: 0, end: Math.min(coveredBytes, bytes.length) }, ...secrets.find(bytes)]

/**
 * The beginning of an unfinished line that is too long, as lines, and what is left of it. So much more has been read
 * that a secret across the cut is known.
 */
const cutUnfinished = (rest: Rest, secrets: Secrets): readonly [Lines | undefined, Rest] => {
  // Where there are no secrets, one byte more says whether a character goes on across the cut.
  const neededBytes = maxLineBytes + Math.max(1, secrets.longestBytes)
  const pieces: Array<Buffer> = []
  let { bytes, coveredBytes } = rest
  while (bytes.length > neededBytes) {
    const spans = spansIn(bytes.subarray(0, neededBytes), coveredBytes, secrets)
    const line = masked(bytes.subarray(0, neededBytes), spans)
    const end = cutAt(line)
    pieces.push(line.subarray(0, end), cutMark)
    coveredBytes = Math.max(0, ...spans.filter(({ start }) => start < end).map((span) => span.end - end))
    bytes = bytes.subarray(end)
  }
  return [pieces.length === 0 ? undefined : Buffer.concat(pieces), { bytes, coveredBytes }]
}

/** Whole lines as they are stored. */
const stored = (lines: Lines, coveredBytes: number, secrets: Secrets): Lines => {
  const seen = masked(lines, spansIn(lines, coveredBytes, secrets))
  return seen.length > maxLineBytes ? cutEach(seen) : seen
}

/**
 * Cuts a stream of bytes into whole lines, with the secrets masked. The bytes are never decoded, so that binary output
 * and invalid UTF-8 pass as they are. However the stream comes in chunks, the lines are the same; they are not copied
 * where that can be spared, for a flood is limited by the garbage it makes.
 */
export const takeLines = (
  rest: Rest,
  chunk: Buffer,
  secrets: Secrets = noSecrets
): readonly [lines: ReadonlyArray<Lines>, rest: Rest] => {
  const end = chunk.lastIndexOf(newline) + 1
  if (end === 0) {
    const bytes = rest.bytes.length === 0 ? chunk : Buffer.concat([rest.bytes, chunk])
    const [cut, after] = cutUnfinished({ bytes, coveredBytes: rest.coveredBytes }, secrets)
    return [cut === undefined ? [] : [cut], after]
  }
  const lines: Array<Lines> = []
  const from = rest.bytes.length === 0 ? 0 : chunk.indexOf(newline) + 1
  if (from > 0) {
    const first = Buffer.concat([rest.bytes, chunk.subarray(0, from)])
    lines.push(stored(first, rest.coveredBytes, secrets))
  }
  if (end > from) lines.push(stored(chunk.subarray(from, end), 0, secrets))
  const [cut, after] = cutUnfinished({ bytes: chunk.subarray(end), coveredBytes: 0 }, secrets)
  if (cut !== undefined) lines.push(cut)
  return [lines, after]
}

/** The last line of a stream that ended without a newline. */
export const lastLine = ({ bytes, coveredBytes }: Rest, secrets: Secrets = noSecrets): Lines =>
  bytes.length === 0 ? bytes : stored(Buffer.concat([bytes, Buffer.of(newline)]), coveredBytes, secrets)

export const countLines = (lines: Lines): number => {
  let count = 0
  for (let at = lines.indexOf(newline); at !== -1; at = lines.indexOf(newline, at + 1)) count++
  return count
}

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** A longer piece is copied faster by the engine; a call of it costs more than to copy a shorter one here. */
const shortBytes = 256

/** Copies by words: neither `copy` nor `set` can take a part of a buffer without an object for it. */
const copyShort = (to: DataView, toAt: number, from: DataView, start: number, end: number): void => {
  const shift = toAt - start
  let at = start
  for (; at + 4 <= end; at += 4) to.setInt32(at + shift, from.getInt32(at, true), true)
  for (; at < end; at++) to.setUint8(at + shift, from.getUint8(at))
}

/** Of so many bytes at once, many lines are made one text: more would be a large object for the collector. */
const pieceBytes = 64 * 1024

/** Below that a text costs more than it saves. */
const leastPieceBytes = 2048

/**
 * Many short lines at once: to replace each newline in a text, byte by character, is three times as fast as to copy line
 * by line. Undefined where that does not pay, or where there is no room for all of them.
 */
const putPiece = (
  target: Buffer,
  freeFrom: number,
  prefix: Buffer,
  lines: Lines,
  from: number
): { readonly from: number; readonly freeFrom: number } | undefined => {
  const last = lines.lastIndexOf(newline, from + pieceBytes - 1)
  if (last - from < leastPieceBytes) return undefined
  const before = prefix.toString("latin1")
  const text = `${before}${lines.toString("latin1", from, last).replaceAll("\n", `\n${before}`)}\n`
  if (freeFrom + text.length > target.length) return undefined
  return { from: last + 1, freeFrom: freeFrom + target.write(text, freeFrom, "latin1") }
}

/**
 * Writes the lines that stand from `from` on into a buffer, each with `prefix` before it, while there is room. Says up
 * to where the lines were taken, and where the buffer is free. It makes no object for a line: there may be a million a
 * second, and the collector would take longer than the copying.
 */
export const putPrefixed = (
  target: Buffer,
  freeFrom: number,
  prefix: Buffer,
  lines: Lines,
  from: number
): { readonly from: number; readonly freeFrom: number } => {
  const [to, before, source] = [viewOf(target), viewOf(prefix), viewOf(lines)]
  let start = from
  let free = freeFrom
  for (
    let piece = putPiece(target, free, prefix, lines, start);
    piece !== undefined;
    piece = putPiece(target, free, prefix, lines, start)
  ) {
    start = piece.from
    free = piece.freeFrom
  }
  for (let at = lines.indexOf(newline, start); at !== -1; at = lines.indexOf(newline, start)) {
    const end = at + 1
    if (free + prefix.length + end - start > target.length) break
    copyShort(to, free, before, 0, prefix.length)
    free += prefix.length
    if (end - start <= shortBytes) copyShort(to, free, source, start, end)
    else target.set(lines.subarray(start, end), free)
    free += end - start
    start = end
  }
  return { from: start, freeFrom: free }
}

/** The same lines, each with `prefix` before it. */
export const prefixed = (prefix: Buffer, lines: Lines): Lines => {
  const result = Buffer.allocUnsafe(lines.length + countLines(lines) * prefix.length)
  putPrefixed(result, 0, prefix, lines, 0)
  return result
}
