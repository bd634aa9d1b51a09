import * as Schema from "effect/Schema"
import { aboutDaemon, optionalSetting, setting, Text } from "./Setting.ts"

/** A shorter interval is an attack on the service that receives it; a longer one than a day says nothing of a night. */
const HeartbeatInterval = Schema.Int.pipe(Schema.between(1000, 86_400_000))

/** The `[heartbeat]` table: a sign of life to a service that misses it. */
export const HeartbeatSettings = Schema.Struct({
  urlFile: optionalSetting("url_file", Text, {
    description:
      "File whose first line is the URL to call at each interval while the daemon answers: a check of healthchecks.io, or a push monitor of Uptime Kuma.",
    expects: "a path",
    unset: "no heartbeat",
    topLevelOnly: aboutDaemon
  }),
  intervalMs: setting("interval_ms", HeartbeatInterval, 60_000, {
    description: "Time between two heartbeats.",
    expects: "a whole number of milliseconds from 1000 to 86400000",
    topLevelOnly: aboutDaemon
  })
})
export type HeartbeatSettings = typeof HeartbeatSettings.Type
