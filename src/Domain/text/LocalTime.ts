import * as DateTime from "effect/DateTime"

const two = (n: number): string => String(n).padStart(2, "0")

/** JavaScript's dates end at 8.64e15 ms, and a time from a file or a socket may lie beyond. Three days less, for zones. */
const farthestMs = 8.64e15 - 3 * 86_400_000

const zoned = (atMs: number, zone: DateTime.TimeZone): DateTime.Zoned =>
  DateTime.unsafeMakeZoned(Math.max(-farthestMs, Math.min(farthestMs, atMs)), { timeZone: zone })

const partsOf = (atMs: number, zone: DateTime.TimeZone) => DateTime.toParts(zoned(atMs, zone))

/** Formats the local day: `2026-11-20`. */
export const localDay = (atMs: number, zone: DateTime.TimeZone): string => {
  const { day, month, year } = partsOf(atMs, zone)
  return `${year}-${two(month)}-${two(day)}`
}

/** Formats local day and time: `2026-11-20 14:02:10`. */
export const localTime = (atMs: number, zone: DateTime.TimeZone): string => {
  const { day, hours, minutes, month, seconds, year } = partsOf(atMs, zone)
  return `${year}-${two(month)}-${two(day)} ${two(hours)}:${two(minutes)}:${two(seconds)}`
}

/** Returns the midnight that began the local day, in milliseconds since 1970. */
export const midnightBefore = (atMs: number, zone: DateTime.TimeZone): number =>
  DateTime.toEpochMillis(DateTime.startOf(zoned(atMs, zone), "day"))

/** Formats a time relative to `nowMs`: `14:02`, `yesterday 14:02`, `tomorrow 14:02`, `2026-11-20 14:02`. */
export const spokenTime = (atMs: number, nowMs: number, zone: DateTime.TimeZone): string => {
  const [day = "", time = ""] = localTime(atMs, zone).split(" ")
  const clock = time.slice(0, 5)
  const today = midnightBefore(nowMs, zone)
  if (day === localDay(nowMs, zone)) return clock
  // Any moment of the day before and of the day after: no day is longer than 26 hours or shorter than 22.
  if (day === localDay(today - 3_600_000, zone)) return `yesterday ${clock}`
  if (day === localDay(today + 28 * 3_600_000, zone)) return `tomorrow ${clock}`
  return `${day} ${clock}`
}
