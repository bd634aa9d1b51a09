/**
 * A time zone. Effect's DateTime and the Intl behind it take as long to load as half of Node, so the zone of a user is
 * nothing but its offset.
 */
export interface Zone {
  /** Milliseconds by which the local time is ahead of UTC at an instant, in milliseconds since 1970. */
  readonly offsetMs: (atMs: number) => number
}

/** The zone that is ahead of UTC by the same time all year. */
export const fixedZone = (aheadMs: number): Zone => ({ offsetMs: () => aheadMs })

export const utc: Zone = fixedZone(0)

const dayMs = 86_400_000

const two = (n: number): string => String(n).padStart(2, "0")

/** JavaScript's dates end at 8.64e15 ms, and a time from a file or a socket may lie beyond. Three days less, for zones. */
const farthestMs = 8.64e15 - 3 * dayMs

/** The local time as if it were UTC, in milliseconds since 1970. */
export const wallOf = (givenMs: number, { offsetMs }: Zone): number => {
  const atMs = Math.max(-farthestMs, Math.min(farthestMs, givenMs))
  return atMs + offsetMs(atMs)
}

/**
 * The instant of a local time (see `wallOf`). A time that a clock shows twice counts as the first one, and a time that it skips
 * as the one that it shows instead.
 */
export const instantOf = (wallMs: number, { offsetMs }: Zone): number => {
  // No clock changes twice within two days, and none is a day from UTC.
  const [before, after] = [wallMs - offsetMs(wallMs - dayMs), wallMs - offsetMs(wallMs + dayMs)]
  return after + offsetMs(after) === wallMs && before + offsetMs(before) !== wallMs ? after : before
}

/** The local midnight before a local time; both as if they were UTC. */
export const wallMidnight = (wallMs: number): number => Math.floor(wallMs / dayMs) * dayMs

const partsOf = (atMs: number, zone: Zone) => {
  const wall = new Date(wallOf(atMs, zone))
  return {
    day: `${wall.getUTCFullYear()}-${two(wall.getUTCMonth() + 1)}-${two(wall.getUTCDate())}`,
    time: `${two(wall.getUTCHours())}:${two(wall.getUTCMinutes())}:${two(wall.getUTCSeconds())}`
  }
}

/** Formats the local day: `2026-11-20`. */
export const localDay = (atMs: number, zone: Zone): string => partsOf(atMs, zone).day

/** Formats local day and time: `2026-11-20 14:02:10`. */
export const localTime = (atMs: number, zone: Zone): string => {
  const { day, time } = partsOf(atMs, zone)
  return `${day} ${time}`
}

/** Returns the midnight that began the local day, in milliseconds since 1970. */
export const midnightBefore = (atMs: number, zone: Zone): number =>
  instantOf(wallMidnight(wallOf(atMs, zone)), zone)

/** Formats a time relative to `nowMs`: `14:02`, `yesterday 14:02`, `tomorrow 14:02`, `2026-11-20 14:02`. */
export const spokenTime = (atMs: number, nowMs: number, zone: Zone): string => {
  const { day, time } = partsOf(atMs, zone)
  const clock = time.slice(0, 5)
  const today = midnightBefore(nowMs, zone)
  if (day === localDay(nowMs, zone)) return clock
  // Any moment of the day before and of the day after: no day is longer than 26 hours or shorter than 22.
  if (day === localDay(today - 3_600_000, zone)) return `yesterday ${clock}`
  if (day === localDay(today + 28 * 3_600_000, zone)) return `tomorrow ${clock}`
  return `${day} ${clock}`
}
