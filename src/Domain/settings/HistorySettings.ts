import * as Schema from "effect/Schema"
import { aboutDaemon, Bytes, setting } from "./Setting.ts"

/** Less would hold hardly a day. */
const leastBytes = 64 * 1024

/** The `[history]` table: how much of what has happened is kept. */
export const HistorySettings = Schema.Struct({
  maxBytes: setting("max_bytes", Bytes.pipe(Schema.greaterThanOrEqualTo(leastBytes)), 10 * 2 ** 20, {
    description: "Size at which the daemon rotates history.jsonl. It keeps one previous file.",
    expects: `a whole number of bytes, at least ${leastBytes}`,
    topLevelOnly: aboutDaemon
  }),
  maxAgeDays: setting("max_age_days", Schema.Int.pipe(Schema.between(1, 36_500)), 90, {
    description: "Age in days after which the daemon deletes events.",
    expects: "a whole number of days from 1 to 36500",
    topLevelOnly: aboutDaemon
  })
})
export type HistorySettings = typeof HistorySettings.Type
