import * as Either from "effect/Either"
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
 * Resolves a time in milliseconds since 1970, in a time zone. The Left is one sentence: the text
 * is not a time, or the time is in the future.
 */
export const sinceMs = (text: string, nowMs: number, zone: Zone): Either.Either<number, string> => {
  const since = parseSinceTime(text)
  if (since === undefined) return Either.left(`${quoted(text)} is not ${sinceExpects}.`)
  const atMs = resolve(since, nowMs, zone)
  return atMs <= nowMs ? Either.right(atMs) : Either.left(`${quoted(text)} is in the future.`)
}

interface TimeRange {
  /** Milliseconds since 1970. */
  readonly sinceMs: number | undefined
  readonly untilMs: number | undefined
}

/** Resolves --since and --until, where they are given. The Left is one sentence. */
export const timeRange = (
  given: { readonly since?: string; readonly until?: string },
  nowMs: number,
  zone: Zone
): Either.Either<TimeRange, string> => {
  const resolved = (option: "since" | "until"): Either.Either<number | undefined, string> => {
    const text = given[option]
    if (text === undefined) return Either.right(undefined)
    return Either.mapLeft(sinceMs(text, nowMs, zone), (problem) => `--${option}: ${problem}`)
  }
  return Either.flatMap(resolved("since"), (from) =>
    Either.flatMap(resolved("until"), (to) =>
      from !== undefined && to !== undefined && to < from
        ? Either.left("The time of --until is before that of --since.")
        : Either.right({ sinceMs: from, untilMs: to })
    )
  )
}
