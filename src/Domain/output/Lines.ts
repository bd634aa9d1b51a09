import { masked, noSecrets, type Secrets, type Span } from "./Secrets.ts"

/** A longer line is cut and marked, and continues as the next one: an endless line must not fill the memory. */
export const maxLineBytes = 256 * 1024

const newline = 0x0a
const cutMark = Buffer.from(" [cut here: the line is longer]\n")

/** The bytes after the last newline. */
interface Rest {
  readonly bytes: Buffer
  /** The bytes at its beginning that belong to a secret from before a cut. */
  readonly coveredBytes: number
}

export const noRest: Rest = { bytes: Buffer.alloc(0), coveredBytes: 0 }

/** Whole lines with their newlines in one buffer: an object per line would cost more than the lines. */
export type Lines = Buffer

/** The offset of the cut in an overlong line, not inside a UTF-8 character. */
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

/** The spans to mask in bytes that continue a rest. */
const spansIn = (bytes: Buffer, coveredBytes: number, secrets: Secrets): ReadonlyArray<Span> =>
  coveredBytes === 0
    ? secrets.find(bytes)
    : [{ start: 0, end: Math.min(coveredBytes, bytes.length) }, ...secrets.find(bytes)]

/** Cuts an overlong unfinished line, once enough bytes follow the cut to recognise a secret across it. */
const cutUnfinished = (rest: Rest, secrets: Secrets): readonly [Lines | undefined, Rest] => {
  // Without secrets, one more byte tells whether a character continues across the cut.
  const neededBytes = maxLineBytes + Math.max(1, secrets.longestBytes)
  const pieces: Array<Buffer> = []
  let { bytes, coveredBytes } = rest
  while (bytes.length > neededBytes) {
    const spans = spansIn(bytes.subarray(0, neededBytes), coveredBytes, secrets)
    const line = masked(bytes.subarray(0, neededBytes), spans)
    const end = cutAt(line)
    pieces.push(line.subarray(0, end), cutMark)
    coveredBytes = spans.reduce(
      (covered, span) => (span.start < end ? Math.max(covered, span.end - end) : covered),
      0
    )
    bytes = bytes.subarray(end)
  }
  return [pieces.length === 0 ? undefined : Buffer.concat(pieces), { bytes, coveredBytes }]
}

const stored = (lines: Lines, coveredBytes: number, secrets: Secrets): Lines => {
  const seen = masked(lines, spansIn(lines, coveredBytes, secrets))
  return seen.length > maxLineBytes ? cutEach(seen) : seen
}

/**
 * Cuts a stream of bytes into whole lines with secrets masked. Never decodes bytes, so binary output passes unchanged.
 * The lines do not depend on the chunks. Avoids copies: garbage limits the throughput of a flood.
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

/** The last line of a stream without a final newline. */
export const lastLine = ({ bytes, coveredBytes }: Rest, secrets: Secrets = noSecrets): Lines =>
  bytes.length === 0 ? bytes : stored(Buffer.concat([bytes, Buffer.of(newline)]), coveredBytes, secrets)

export const countLines = (lines: Lines): number => {
  let count = 0
  for (let at = lines.indexOf(newline); at !== -1; at = lines.indexOf(newline, at + 1)) count++
  return count
}

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** Below this length a loop copies faster than a call of the engine. */
const shortBytes = 256

/** Copies by words: `copy` and `set` need an object for a part of a buffer. */
const copyShort = (to: DataView, toAt: number, from: DataView, start: number, end: number): void => {
  const shift = toAt - start
  let at = start
  for (; at + 4 <= end; at += 4) to.setInt32(at + shift, from.getInt32(at, true), true)
  for (; at < end; at++) to.setUint8(at + shift, from.getUint8(at))
}

/** The bytes that become one text at once; a larger text would be a large object for the collector. */
const pieceBytes = 64 * 1024

/** Below this length a text costs more than it saves. */
const leastPieceBytes = 2048

/**
 * Writes many short lines at once: replacing newlines in a latin1 text is three times as fast as copying line by line.
 * Undefined where it does not pay or the target lacks room.
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
 * Writes the lines from `from` on into a buffer, each with `prefix`, while there is room. Returns the offset of the first
 * line left and the free offset of the buffer. Makes no object per line: at a million lines a second the collector would
 * take longer than the copying.
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

/** The lines, each with `prefix`. */
export const prefixed = (prefix: Buffer, lines: Lines): Lines => {
  const result = Buffer.allocUnsafe(lines.length + countLines(lines) * prefix.length)
  putPrefixed(result, 0, prefix, lines, 0)
  return result
}
