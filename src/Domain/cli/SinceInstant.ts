import { instantOf, wallMidnight, wallOf, type Zone } from "../text/LocalTime.ts"
import { quoted } from "../text/Printable.ts"
import { dayMs, parseSinceTime, type SinceTime, sinceExpects } from "./SinceTime.ts"

/** Midnight of the current day in a zone, as local time. */
const midnightNow = (nowMs: number, zone: Zone): number => wallMidnight(wallOf(nowMs, zone))

const resolve = (since: SinceTime, nowMs: number, zone: Zone): number => {
  switch (since._tag) {
    case "Ago":
      return nowMs - since.durationMs
    case "TimeOfDay": {
      // The most recent such time: at 9:00, 14:30 is that of yesterday.
      const today = midnightNow(nowMs, zone) + since.ofDayMs
      const atMs = instantOf(today, zone)
      return atMs <= nowMs ? atMs : instantOf(today - dayMs, zone)
    }
    case "NamedDay":
      return instantOf(midnightNow(nowMs, zone) - since.daysBack * dayMs + since.ofDayMs, zone)
    case "WallTime":
      return instantOf(since.wallMs, zone)
    case "Instant":
      return since.atMs
  }
}

/**
 * Resolves a time in milliseconds since 1970, in a time zone; or says in one sentence that the text is not a time, or that
 * the time is in the future.
 */
export const sinceMs = (text: string, nowMs: number, zone: Zone): number | string => {
  const since = parseSinceTime(text)
  if (since === undefined) return `${quoted(text)} is not ${sinceExpects}.`
  const atMs = resolve(since, nowMs, zone)
  return atMs <= nowMs ? atMs : `${quoted(text)} is in the future.`
}

interface TimeRange {
  /** Milliseconds since 1970. */
  readonly sinceMs: number | undefined
  readonly untilMs: number | undefined
}

/** Resolves --since and --until, where they are given; or says in one sentence what is wrong with them. */
export const timeRange = (
  given: { readonly since?: string; readonly until?: string },
  nowMs: number,
  zone: Zone
): TimeRange | string => {
  const [from, to] = [given.since, given.until].map((text) =>
    text === undefined ? undefined : sinceMs(text, nowMs, zone)
  )
  if (typeof from === "string") return `--since: ${from}`
  if (typeof to === "string") return `--until: ${to}`
  return from !== undefined && to !== undefined && to < from
    ? "The time of --until is before that of --since."
    : { sinceMs: from, untilMs: to }
}
