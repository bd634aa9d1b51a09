import { lineAsShown } from "../text/EscapeSequences.ts"
import type { Lines } from "./Lines.ts"

/** The two streams of a worker. */
export type OutputStream = "out" | "err"

/** A line of a worker. */
export interface TailLine {
  readonly stream: OutputStream
  /** Without escape sequences: a coloured message means the same as a plain one. */
  readonly text: string
}

/** The limits of the tail of both streams together. */
export const maxTailBytes = 16 * 1024
export const maxTailLines = 64

interface Entry {
  readonly stream: OutputStream
  readonly lines: Lines
}

/** The end of a worker's output, in the order of reading. */
type OutputTail = ReadonlyArray<Entry>

export const noTail: OutputTail = []

/** Adds lines to the tail. Cheap enough for every piece of a flood: keeps only the end of a large one, undecoded. */
export const withLines = (tail: OutputTail, stream: OutputStream, lines: Lines): OutputTail => {
  if (lines.length === 0) return tail
  if (lines.length >= maxTailBytes) return [{ stream, lines: lines.subarray(-2 * maxTailBytes) }]
  // A copy, because a slice would keep its whole chunk in memory.
  return [...tail.slice(1 - maxTailLines), { stream, lines: Buffer.from(lines) }]
}

const textOf = (bytes: Buffer): string => lineAsShown(bytes.toString("utf8"))

/** The end of an overlong line, from the start of a UTF-8 character on. */
const endOf = (line: Buffer, bytes: number): string => {
  let from = line.length - bytes
  while (from < line.length && ((line[from] ?? 0) & 0xc0) === 0x80) from++
  return `…${textOf(line.subarray(from))}`
}

/** The last lines, the newest last: at most `maxTailLines` and `maxTailBytes`. The oldest one may be cut. */
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
