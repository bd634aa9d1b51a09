import { twinKeys as keysOfSchemas } from "../Domain/json/TwinKeys.ts"
import type { TwinKeys } from "../Domain/json/Twins.ts"

/** The build defines it, as JSON: most commands load none of the schemas. Absent when the sources run unbundled, as in tests. */
declare const AUTOPILOTD_TWIN_KEYS: string | undefined

/** The keys with twins in the answers of all commands. */
export const twinKeys: TwinKeys =
  typeof AUTOPILOTD_TWIN_KEYS === "string" ? JSON.parse(AUTOPILOTD_TWIN_KEYS) : keysOfSchemas
