import { localTime, type Zone } from "../text/LocalTime.ts"

/** `22:00-07:00` of the settings. */
export type QuietHours = string | false

/** Whether the wall clock of the zone shows a time within the quiet hours. Texts of the form `07:05` compare like times. */
export const isQuiet = (hours: QuietHours, atMs: number, zone: Zone): boolean => {
  if (hours === false) return false
  const [from = "", to = ""] = hours.split("-")
  const clock = localTime(atMs, zone).slice(11, 16)
  return from < to ? from <= clock && clock < to : from <= clock || clock < to
}
