import type { Unit } from "../Wire.ts"

/** The keys of values that a program reads in another unit more easily, each of which gets a twin beside it. */
export interface TwinKeys {
  /** Milliseconds since 1970, whose twin is a time in ISO 8601 and UTC. */
  readonly moments: ReadonlyArray<string>
  /** Millionths of a US dollar, whose twin is in US dollars. */
  readonly microDollars: ReadonlyArray<string>
}

/** The key of a moment without its unit; `at` is the name of the milliseconds already. */
const momentTwin = (key: string): string => {
  const bare = key.replace(/(_ms|Ms)$/, "")
  return bare === "at" ? "at_iso" : bare
}

const dollarTwin = (key: string): string => key.replace(/micro_usd$/, "usd")

/** The twin of a key with a unit, for the documentation; undefined for one that has none. */
export const twinKeyOf = (key: string, unit: Unit | undefined) => {
  if (unit === "moment") return { key: momentTwin(key), type: "string", unit: "ISO 8601, UTC" }
  return unit === "micro-dollar" ? { key: dollarTwin(key), type: "number", unit: "US$" } : undefined
}

/** The latest time that ISO 8601 can write with four digits for the year. */
const lastMs = Date.UTC(10_000, 0) - 1

const twinOf = (
  key: string,
  value: number,
  { microDollars, moments }: TwinKeys
): readonly [string, string | number] | undefined => {
  if (moments.includes(key) && value >= 0 && value <= lastMs)
    return [momentTwin(key), new Date(value).toISOString()]
  return microDollars.includes(key) ? [dollarTwin(key), value / 1e6] : undefined
}

const objectWithTwins = (value: object, keys: TwinKeys): object => {
  const given = Object.entries(value)
  return Object.fromEntries(
    given.flatMap(([key, one]: [string, unknown]): ReadonlyArray<readonly [string, unknown]> => {
      if (typeof one !== "number") return [[key, inside(one, keys)]]
      const twin = twinOf(key, one, keys)
      return twin === undefined || Object.hasOwn(value, twin[0]) ? [[key, one]] : [[key, one], twin]
    })
  )
}

const inside = (value: unknown, keys: TwinKeys): unknown => {
  if (Array.isArray(value)) return value.map((one) => inside(one, keys))
  return typeof value === "object" && value !== null ? objectWithTwins(value, keys) : value
}

/** Data with the twin of each value right after it. */
export const withTwins = (data: object, keys: TwinKeys): object =>
  Array.isArray(data) ? data.map((one) => inside(one, keys)) : objectWithTwins(data, keys)
