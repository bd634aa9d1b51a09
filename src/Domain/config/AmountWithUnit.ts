const msOf: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  sec: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000
}

/** `K`, `KiB`: powers of 1024, as systemd and the daemon's own texts count; `KB`: powers of 1000. */
const bytesOf: Readonly<Record<string, number>> = {
  b: 1,
  ...Object.fromEntries(
    ["k", "m", "g", "t"].flatMap((letter, at) => [
      [letter, 1024 ** (at + 1)],
      [`${letter}ib`, 1024 ** (at + 1)],
      [`${letter}b`, 1000 ** (at + 1)]
    ])
  )
}

const parts = /(\d+(?:\.\d+)?) ?([A-Za-z]+) ?/g

/**
 * The number that a setting needs for an amount with units: `20s` and `1h30m` for one in milliseconds, `4GiB` for one in
 * bytes, by the end of its name. Undefined for any other text or setting.
 */
export const amountWithUnit = (key: string, given: string): number | undefined => {
  const units = key.endsWith("_ms") ? msOf : key.endsWith("_bytes") ? bytesOf : undefined
  const text = given.trim()
  if (units === undefined || text.replace(parts, "") !== "") return undefined
  const amounts = [...text.matchAll(parts)].map(([, count, unit = ""]) => {
    const name = unit.toLowerCase()
    return Object.hasOwn(units, name) ? Number(count) * (units[name] ?? 0) : Number.NaN
  })
  if (amounts.length === 0) return undefined
  const sum = Math.round(amounts.reduce((total, amount) => total + amount, 0))
  return Number.isSafeInteger(sum) ? sum : undefined
}
