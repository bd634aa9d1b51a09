import * as Schema from "effect/Schema"
import { jsonText } from "../text/Printable.ts"
import { perhaps } from "../Wire.ts"

/** What a relay tells the daemon that has started it: a line of JSON on its standard output. */
const RelayReport = Schema.Struct({
  /** What of the relay this is about: `heartbeat`. */
  outlet: Schema.String.pipe(Schema.minLength(1), Schema.maxLength(100)),
  /** Why it fails; absent when it works. */
  problem: perhaps(Schema.String)
})
export type RelayReport = typeof RelayReport.Type

export const reportLine = (report: RelayReport): string => `${jsonText(report)}\n`

/** Left for a line that is none. */
export const reportIn = Schema.decodeUnknownEither(Schema.parseJson(RelayReport))
