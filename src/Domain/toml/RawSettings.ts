/** The settings of a file, or a table of them, before they are decoded: snake_case names, any values. */
export type RawSettings = Readonly<Record<string, unknown>>

/** True for a table of a TOML file. */
export const isTable = (value: unknown): value is RawSettings =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)

/** The value at a path of names and array positions; undefined when there is none. */
export const valueAt = (raw: RawSettings, path: ReadonlyArray<string | number>): unknown =>
  path.reduce<unknown>((inside, name) => {
    if (Array.isArray(inside)) return inside[Number(name)]
    return isTable(inside) && Object.hasOwn(inside, name) ? inside[name] : undefined
  }, raw)

/** Settings without some keys. */
export const without = (raw: RawSettings, names: ReadonlyArray<string>): RawSettings =>
  Object.fromEntries(Object.entries(raw).filter(([name]) => !names.includes(name)))

/** A value as TOML, on one line. */
export const tomlText = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(tomlText).join(", ")}]`
  if (isTable(value)) {
    const entries = Object.entries(value).map(([name, inner]) => `${name} = ${tomlText(inner)}`)
    return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`
  }
  // JSON's escapes are a part of TOML's, and DEL is the one control character that JSON leaves bare.
  if (typeof value === "string") return JSON.stringify(value).replaceAll("\u007f", "\\u007f")
  return String(value)
}
