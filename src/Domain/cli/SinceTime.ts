/** The accepted forms of a time; completes the sentence "--since expects ...". */
export const sinceExpects =
  'a time such as 2h, 1h30m, "10 min ago", 14:30, today, yesterday, yesterday 14:30, 2026-11-20 or 2026-11-20T14:30 (local time, or with Z or an offset such as +01:00)'

const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000
}

export const dayMs = 86_400_000

/** A time as written, not yet resolved with the clock. Times of day are milliseconds after midnight. */
export type SinceTime =
  | { readonly _tag: "Ago"; readonly durationMs: number }
  | { readonly _tag: "TimeOfDay"; readonly ofDayMs: number }
  | { readonly _tag: "NamedDay"; readonly daysBack: number; readonly ofDayMs: number }
  /** Local time, encoded as if it were UTC. */
  | { readonly _tag: "WallTime"; readonly wallMs: number }
  | { readonly _tag: "Instant"; readonly atMs: number }

/** A count of units, by their first letter or by their name: `10 min`, `3 days`. */
const part = /(\d+) ?(s|sec|secs|seconds?|m|min|mins|minutes?|h|hours?|hrs?|d|days?|w|weeks?)(?![a-z])/g

/** Milliseconds of a duration such as `1h30m` or `10 min ago`; undefined for another text. */
export const durationMs = (given: string): number | undefined => {
  const text = given.replace(/ ago$/, "")
  const parts = [...text.matchAll(part)].map(([, count = "", unit = ""]) => [count, unit.charAt(0)] as const)
  if (parts.length === 0 || text.replace(part, "").trim() !== "") return undefined
  const sum = parts.reduce((total, [count, unit]) => total + Number(count) * (unitMs[unit] ?? 0), 0)
  // A longer duration would exceed the range of Date.
  return sum <= 1000 * 366 * dayMs ? sum : undefined
}

const ofDayMs = (text: string): number | undefined => {
  const match = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,3}))?)?$/.exec(text)
  if (match === null) return undefined
  const [, hours, minutes, seconds = "0", fraction = "0"] = match
  return (
    Number(hours) * 3_600_000 +
    Number(minutes) * 60_000 +
    Number(seconds) * 1000 +
    Number(fraction.padEnd(3, "0"))
  )
}

/** Midnight of a date in UTC. Undefined for a day that does not exist. */
const dateMs = (text: string): number | undefined => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const atMs = Date.parse(`${text}T00:00:00Z`)
  return Number.isNaN(atMs) || new Date(atMs).toISOString().slice(0, 10) !== text ? undefined : atMs
}

/** Minutes east of UTC. */
const offsetMinutes = (text: string): number | undefined => {
  if (text === "Z" || text === "z") return 0
  const match = /^([+-])([01]\d|2[0-3]):?([0-5]\d)$/.exec(text)
  if (match === null) return undefined
  const [, sign, hours, minutes] = match
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}

const isoTime = (text: string): SinceTime | undefined => {
  const [, date = "", time, offset] = /^(.{10})(?:[T ]([\d:.]+)(Z|z|[+-][\d:]+)?)?$/.exec(text) ?? []
  const day = dateMs(date)
  const ofDay = time === undefined ? 0 : ofDayMs(time)
  if (day === undefined || ofDay === undefined) return undefined
  if (offset === undefined) return { _tag: "WallTime", wallMs: day + ofDay }
  const minutes = offsetMinutes(offset)
  return minutes === undefined ? undefined : { _tag: "Instant", atMs: day + ofDay - minutes * 60_000 }
}

const namedDay = (text: string): SinceTime | undefined => {
  const [, day, time] = /^(today|yesterday)(?: (\S+))?$/.exec(text) ?? []
  const ofDay = time === undefined ? 0 : ofDayMs(time)
  if (day === undefined || ofDay === undefined) return undefined
  return { _tag: "NamedDay", daysBack: day === "today" ? 0 : 1, ofDayMs: ofDay }
}

/** Undefined for a text in none of the accepted forms. */
export const parseSinceTime = (given: string): SinceTime | undefined => {
  const text = given.trim().replace(/\s+/g, " ")
  const agoMs = durationMs(text)
  if (agoMs !== undefined) return { _tag: "Ago", durationMs: agoMs }
  const ofDay = ofDayMs(text)
  if (ofDay !== undefined) return { _tag: "TimeOfDay", ofDayMs: ofDay }
  return namedDay(text) ?? isoTime(text)
}

/** True for a time in one of the accepted forms. */
export const isSinceTime = (text: string): boolean => parseSinceTime(text) !== undefined
