/** Parses the `KEY=value` lines of `systemctl show`. A value may contain `=`. */
export const systemdProperties = (shown: string): ReadonlyMap<string, string> =>
  new Map(
    shown.split("\n").flatMap((line) => {
      const at = line.indexOf("=")
      return at <= 0 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const]
    })
  )

/** systemd's units of time, in milliseconds (systemd.time(7)). A year is 365.25 days, a month a twelfth of it. */
const units: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  min: 60000,
  h: 3600000,
  d: 86400000,
  w: 604800000,
  month: 2629800000,
  y: 31557600000
}

/** Parses a duration of `systemctl show` (`1min 30s`, `1.5s`, `infinity`) to milliseconds. Undefined for other texts. */
export const systemdDurationMs = (text: string): number | undefined => {
  if (text === "infinity") return Number.POSITIVE_INFINITY
  if (text === "0") return 0
  let sum = 0
  for (const part of text.split(" ")) {
    const [, amount, unit] = /^([0-9]+(?:\.[0-9]+)?)([a-z]+)$/.exec(part) ?? []
    const factor = unit !== undefined && Object.hasOwn(units, unit) ? units[unit] : undefined
    if (factor === undefined) return undefined
    sum += Number(amount) * factor
  }
  return sum
}
