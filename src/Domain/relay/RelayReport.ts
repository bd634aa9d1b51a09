import { jsonIn } from "../Shape.ts"
import { jsonText } from "../text/Printable.ts"
import { isTable } from "../toml/RawSettings.ts"

/** What a relay tells the daemon that has started it: a line of JSON on its standard output. */
export interface RelayReport {
  /** What of the relay this is about: `heartbeat`. 1 to 100 characters. */
  readonly outlet: string
  /** Why it fails; absent when it works. */
  readonly problem?: string
}

export const reportLine = (report: RelayReport): string => `${jsonText(report)}\n`

/** The report in a line; undefined for a line that is none. */
export const reportIn = (line: string): RelayReport | undefined => {
  const value = jsonIn(line)
  if (!isTable(value)) return undefined
  const { outlet, problem } = value
  if (typeof outlet !== "string" || outlet === "" || outlet.length > 100) return undefined
  if (problem === undefined) return { outlet }
  return typeof problem === "string" ? { outlet, problem } : undefined
}
