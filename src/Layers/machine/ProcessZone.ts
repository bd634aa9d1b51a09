import { utc, type Zone } from "../../Domain/text/LocalTime.ts"

/** The zone that Node takes for local. Its offsets are whole minutes. */
export const nodeZone: Zone = { offsetMs: (atMs) => -new Date(atMs).getTimezoneOffset() * 60_000 }

const nameOf = (zone: string): string | undefined => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone
  } catch {
    return undefined
  }
}

/** The names found so far: to make a formatter takes as long as to save a state. */
const names = new Map<string, string | undefined>()

/** The name of the zone, if Node knows it. */
export const namedZone = (zone: string): string | undefined => {
  if (!names.has(zone)) names.set(zone, nameOf(zone))
  return names.get(zone)
}

/**
 * The time zone of this process; undefined where only the C library understands the variable TZ. Without TZ nothing of Intl
 * is loaded, which takes half as long as Node's own start.
 */
export const processZone = (): Zone | undefined => {
  const TZ = process.env["TZ"]
  if (TZ === undefined) return nodeZone
  // POSIX: an empty zone is UTC.
  if (TZ === "" || TZ === ":") return utc
  return namedZone(TZ.replace(/^:/, "")) === undefined ? undefined : nodeZone
}
