import type { Lines } from "./Lines.ts"

/** The two streams of a worker. */
export type OutputStream = "out" | "err"

/** One of the last lines that a worker has written. */
export interface TailLine {
  readonly stream: OutputStream
  readonly text: string
}

/** So much of the end is kept, of both streams together. */
export const maxTailBytes = 16 * 1024
export const maxTailLines = 64

interface Entry {
  readonly stream: OutputStream
  readonly lines: Lines
}

/** The end of what a worker has written, in the order in which it was read. */
type OutputTail = ReadonlyArray<Entry>

export const noTail: OutputTail = []

/**
 * The tail with more lines at its end. Cheap enough for every piece of a flood: of a large one only its end is kept,
 * and nothing is decoded.
 */
export const withLines = (tail: OutputTail, stream: OutputStream, lines: Lines): OutputTail => {
  if (lines.length === 0) return tail
  if (lines.length >= maxTailBytes) return [{ stream, lines: lines.subarray(-2 * maxTailBytes) }]
  // Each entry has a line at least. A copy, because a short line would keep what it was cut from.
  return [...tail.slice(1 - maxTailLines), { stream, lines: Buffer.from(lines) }]
}

const textOf = (bytes: Buffer): string => bytes.toString("utf8")

/** The end of a line that is too long, from the beginning of a character. */
const endOf = (line: Buffer, bytes: number): string => {
  let from = line.length - bytes
  while (from < line.length && ((line[from] ?? 0) & 0xc0) === 0x80) from++
  return `…${textOf(line.subarray(from))}`
}

/** The last lines, the newest last: no more than `maxTailLines` and `maxTailBytes` of them, the oldest cut for that. */
export const tailLines = (tail: OutputTail): ReadonlyArray<TailLine> => {
  const found: Array<TailLine> = []
  let room = maxTailBytes
  for (const { lines, stream } of tail.toReversed()) {
    for (let end = lines.length - 1; end >= 0; ) {
      if (found.length === maxTailLines || room <= 0) return found.toReversed()
      const start = end === 0 ? 0 : lines.lastIndexOf(0x0a, end - 1) + 1
      const line = lines.subarray(start, end)
      found.push({ stream, text: line.length <= room ? textOf(line) : endOf(line, room) })
      room -= line.length + 1
      end = start - 1
    }
  }
  return found.toReversed()
}
