import { parse, TomlError } from "smol-toml"
import type { RawSettings } from "../../Domain/toml/RawSettings.ts"
import type { Position } from "../../Domain/toml/TextSpan.ts"

/** The text is not TOML. */
export class NotToml extends Error {
  readonly _tag = "NotToml"
  readonly at?: Position
  readonly because?: string

  constructor({ at, because }: Partial<Pick<NotToml, "at" | "because">> = {}) {
    super()
    if (at !== undefined) this.at = at
    if (because !== undefined) this.because = because
  }
}

/** Far more than any setting needs. Deeper paths cost later steps the square of their depth. */
const mostLevels = 32

/** Whether tables and arrays stand in one another more than `levels` deep. */
const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === "object" &&
  value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1)))

/** Parses a TOML text. `bigints` selects the integers that become bigints: all, or those beyond 2^53 - 1. */
export const tomlData = (text: string, bigints: "all" | "large"): RawSettings | NotToml => {
  try {
    const data = parse(text, { integersAsBigInt: bigints === "all" ? true : "asNeeded" })
    if (!isDeeper(data, mostLevels)) return data
    return new NotToml({ because: `its tables stand in one another more than ${mostLevels} deep` })
  } catch (cause) {
    if (!(cause instanceof TomlError)) return new NotToml()
    // The next lines of the message are an excerpt of the text, which may have a secret of `env`.
    const because = cause.message.split("\n", 1)[0]?.replace(/^Invalid TOML document: /, "") ?? ""
    return new NotToml({ at: { line: cause.line, column: cause.column }, because })
  }
}
