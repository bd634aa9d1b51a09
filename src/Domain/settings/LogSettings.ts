import * as Schema from "effect/Schema"
import { Bytes, bytesExpected, optionalSetting, setting } from "./Setting.ts"

/** Less would hold hardly a few of the longest lines. */
const leastBytes = 2 ** 20

/** The `[log]` table: how much of a worker's output is kept, and where else it goes. */
export const LogSettings = Schema.Struct({
  maxBytes: setting("max_bytes", Bytes.pipe(Schema.greaterThanOrEqualTo(leastBytes)), 10 * 2 ** 20, {
    description: "Size at which the daemon rotates worker.log to worker.log.1.",
    expects: `a whole number of bytes, at least ${leastBytes}`
  }),
  files: setting("files", Schema.Int.pipe(Schema.between(2, 1000)), 5, {
    description: "Number of log files to keep, including the current one.",
    expects: "a whole number from 2 to 1000"
  }),
  minFreeBytes: optionalSetting("min_free_bytes", Bytes, {
    description: "Free disk space below which the daemon stops writing worker.log; 0 means no limit.",
    expects: bytesExpected,
    unset: "256 MiB, at most 5 % of the disk"
  }),
  redact: setting("redact", Schema.Boolean, false, {
    description: "Mask the values of the env file in the worker's output.",
    expects: "true or false"
  }),
  journal: setting("journal", Schema.Boolean, true, {
    description: "Also send the worker's output to the journal when systemd runs the daemon.",
    expects: "true or false"
  })
})
export type LogSettings = typeof LogSettings.Type
