import type { OutputStream } from "./OutputTail.ts"

/** A line of worker.log. A note is a line of the daemon. */
interface StoredLine {
  /** The time of reading, in milliseconds since 1970. */
  readonly at: number
  readonly stream: OutputStream | "note"
  readonly text: string
}

/** Local time, because a user compares it with a clock; with milliseconds, because of races. */
export const timestamp = (at: Date): string => {
  const two = (n: number) => String(n).padStart(2, "0")
  return (
    `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ` +
    `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`
  )
}

const stamped = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{3}) (out|err|---) /

/** The number of characters before the text. */
export const stampLength = "2026-11-22 19:45:36.029 out ".length

const streams: Readonly<Record<string, StoredLine["stream"]>> = { out: "out", err: "err" }

/**
 * Parses a line of worker.log without its newline; undefined for a line without a stamp. Times are local: in the hour
 * that a clock shows twice, the first one is meant.
 */
export const storedLine = (line: string): StoredLine | undefined => {
  const match = stamped.exec(line)
  if (match === null) return undefined
  const [, year, month, day, hours, minutes, seconds, milliseconds, stream = ""] = match
  return {
    at: new Date(
      Number(year),
      Number(month) - 1,
      Number(day),
      Number(hours),
      Number(minutes),
      Number(seconds),
      Number(milliseconds)
    ).getTime(),
    stream: streams[stream] ?? "note",
    text: line.slice(stampLength)
  }
}
