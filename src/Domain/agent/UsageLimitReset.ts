import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"

/** A limit resets within a month: a later time is misread, and waiting for it would never end. */
const furthestMs = 32 * 24 * 3_600_000

/** Messages cut off seconds and arrive late: within this time after the reset it does not mean the next day. */
const justOverMs = 10 * 60_000

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

/**
 * `3pm`, `3:20 pm`, `15:20`, after `Oct 6,` or `Oct 6th, 2027` or no date, before `(Europe/Berlin)` or no zone. Codex says
 * `try again at`.
 */
const spoken =
  /\b(?:resets?(?:\s+at)?|try again at)\s+(?:([a-z]{3})[a-z]{0,6}\s+(\d{1,2})(?:st|nd|rd|th)?(?:,?\s+(\d{4}))?(?:,|\s+at)?\s+)?(\d{1,2})(?::(\d{2}))?\s?([ap]m)?(?![\w:])(?:\s*\(([\w+/-]{1,64})\))?/i

/** `You will regain access on 2026-12-01 at 00:00 UTC.` The API names no other zone. */
const regained = /\bregain access on (\d{4}-\d{2}-\d{2})(?: at (\d{2}:\d{2}))?/i

const unit =
  "\\d{1,6}(?:\\.\\d{1,9})?\\s*(?:d(?:ays?)?|h(?:ours?|rs?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)(?![a-z])"

/** `try again in 2 days 3 hours`, `Please retry in 35.2s`, `Your quota will reset after 3h49m`. */
const spokenDelay = new RegExp(
  `\\b(?:try again|retry|resets?)\\s+(?:in|after)\\s+(${unit}(?:(?:\\s|,|and\\b){0,6}${unit}){0,4})`,
  "i"
)

const unitMs: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 }

const delayMs = (text: string): number | undefined => {
  const said = spokenDelay.exec(text)?.[1]
  if (said === undefined) return /\btry again in less than a minute\b/i.test(text) ? unitMs["m"] : undefined
  return [...said.matchAll(/([\d.]+)\s*([dhms])/gi)].reduce(
    (sum, [, amount, letter = ""]) => sum + Number(amount) * (unitMs[letter.toLowerCase()] ?? 0),
    0
  )
}

/** `Claude AI usage limit reached|1759766400`. */
const afterBar = /\|\s*(\d{10}|\d{13})(?!\d)/

interface SpokenTime {
  readonly date:
    | { readonly month: number; readonly day: number; readonly year: number | undefined }
    | undefined
  readonly hour: number
  readonly minute: number
  readonly zone: string | undefined
}

/** The hour of 24; undefined for `15pm`, and for a bare `3`, which may be either. */
const hourOf = (hour: number, half: string | undefined, hasMinutes: boolean): number | undefined => {
  if (half === undefined) return hasMinutes && hour <= 23 ? hour : undefined
  if (hour < 1 || hour > 12) return undefined
  return (hour % 12) + (half.toLowerCase() === "pm" ? 12 : 0)
}

const spokenTime = (text: string): SpokenTime | undefined => {
  const match = spoken.exec(text)
  if (match === null) return undefined
  const [, monthName, day, year, hourText, minuteText, half, zone] = match
  const hour = hourOf(Number(hourText), half, minuteText !== undefined)
  const minute = Number(minuteText ?? 0)
  if (hour === undefined || minute > 59) return undefined
  if (monthName === undefined) return { date: undefined, hour, minute, zone }
  const month = months.indexOf(monthName.toLowerCase()) + 1
  if (month === 0 || Number(day) < 1 || Number(day) > 31) return undefined
  return {
    date: { month, day: Number(day), year: year === undefined ? undefined : Number(year) },
    hour,
    minute,
    zone
  }
}

/** Names that programs without a time zone give to UTC. */
const unzoned: ReadonlySet<string> = new Set(["GMT", "Etc/Unknown", "Unknown"])

/** The possible times in ascending order: a day without a year is in this one or the next. */
const candidates = (
  { date, hour, minute }: SpokenTime,
  nowMs: number,
  timeZone: string
): ReadonlyArray<number> => {
  const now = DateTime.makeZoned(nowMs, { timeZone })
  if (Option.isNone(now)) return []
  const { day, month, year } = DateTime.toParts(now.value)
  const days =
    date === undefined
      ? [-1, 0, 1].map((later) => ({ year, month, day: day + later }))
      : (date.year === undefined ? [year, year + 1] : [date.year]).map((ofYear) => ({
          ...date,
          year: ofYear
        }))
  return days.flatMap((parts) => {
    const wall = { ...parts, hours: hour, minutes: minute }
    // When a clock is set back and shows a time twice, the later one is never too early.
    const zoned = DateTime.makeZoned(wall, { timeZone, adjustForTimeZone: true, disambiguation: "later" })
    return Option.isSome(zoned) ? [DateTime.toEpochMillis(zoned.value)] : []
  })
}

/** Returns a reset in milliseconds since 1970; undefined unless it is at most 32 days ahead. */
export const resetAhead = (atMs: number | undefined, nowMs: number): number | undefined =>
  atMs !== undefined && atMs > nowMs && atMs - nowMs <= furthestMs ? atMs : undefined

/** Converts a reset in seconds or milliseconds since 1970 to milliseconds; undefined unless it is at most 32 days ahead. */
export const resetFigureMs = (figure: number | undefined, nowMs: number): number | undefined =>
  resetAhead(figure === undefined || figure >= 1e11 ? figure : figure * 1000, nowMs)

/**
 * Reads the reset of a usage limit from a message, in milliseconds since 1970. Undefined without a time, or with one that
 * is ambiguous or more than 32 days ahead. `timeZone` applies to a time of day without a zone.
 */
export const resetTimeMs = (text: string, nowMs: number, timeZone: string): number | undefined => {
  const digits = afterBar.exec(text)?.[1]
  if (digits !== undefined) return resetFigureMs(Number(digits), nowMs)
  const [, date, time = "00:00"] = regained.exec(text) ?? []
  if (date !== undefined) {
    const moment = DateTime.make(`${date}T${time}:00Z`)
    return Option.isSome(moment) ? resetAhead(DateTime.toEpochMillis(moment.value), nowMs) : undefined
  }
  const delay = delayMs(text)
  if (delay !== undefined) return resetAhead(nowMs + delay, nowMs)
  const said = spokenTime(text)
  if (said === undefined) return undefined
  const zone = said.zone ?? timeZone
  const meant = candidates(said, nowMs, unzoned.has(zone) ? "UTC" : zone)
  return resetAhead(
    meant.find((atMs) => atMs > nowMs - justOverMs),
    nowMs
  )
}
