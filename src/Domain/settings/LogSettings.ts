import * as Schema from "effect/Schema"
import { Bytes, bytesExpected, optionalSetting, setting } from "./Setting.ts"

/** Less would hold hardly a few of the longest lines. */
const leastBytes = 2 ** 20

/** The `[log]` table: how much of a worker's output is kept, and where else it goes. */
export const LogSettings = Schema.Struct({
  maxBytes: setting("max_bytes", Bytes.pipe(Schema.greaterThanOrEqualTo(leastBytes)), 10 * 2 ** 20, {
    description: "Before worker.log would grow over this, it is moved to worker.log.1.",
    expects: `a whole number of bytes, at least ${leastBytes}`
  }),
  files: setting("files", Schema.Int.pipe(Schema.between(2, 1000)), 5, {
    description: "How many of these files are kept, the one being written included.",
    expects: "a whole number from 2 to 1000"
  }),
  minFreeBytes: optionalSetting("min_free_bytes", Bytes, {
    description: "Nothing is written to worker.log while less than this is free on its disk; 0 is no limit.",
    expects: bytesExpected,
    unset: "256 MiB, at most 5 % of the disk"
  }),
  redact: setting("redact", Schema.Boolean, false, {
    description: "Whether values of the env file are masked in the worker's output.",
    expects: "true or false"
  }),
  journal: setting("journal", Schema.Boolean, true, {
    description: "Whether the worker's output also goes to the journal when systemd has started the daemon.",
    expects: "true or false"
  })
})
export type LogSettings = typeof LogSettings.Type
