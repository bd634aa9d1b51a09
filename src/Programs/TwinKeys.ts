import { twinKeys as keysOfSchemas } from "../Domain/json/TwinKeys.ts"
import { type TwinKeys, withTwins } from "../Domain/json/Twins.ts"
import { jsonText } from "../Domain/text/Printable.ts"

/** The build defines it, as JSON: most commands load none of the schemas. Absent when the sources run unbundled, as in tests. */
declare const AUTOPILOTD_TWIN_KEYS: string | undefined

/** The keys with twins in the answers of all commands. */
export const twinKeys: TwinKeys =
  typeof AUTOPILOTD_TWIN_KEYS === "string" ? JSON.parse(AUTOPILOTD_TWIN_KEYS) : keysOfSchemas

/** A line for a program, of a command that prints one for each thing; ends in a newline. */
export const jsonLine = (line: object): string => `${jsonText(withTwins(line, twinKeys))}\n`
