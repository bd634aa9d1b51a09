import * as Schema from "effect/Schema"
import { aboutDaemon, Bytes, bytesExpected, optionalSetting, setting } from "./Setting.ts"

/** A smaller file would hold only a few of the longest lines. */
const leastLogBytes = 2 ** 20

/** The `[log]` table: the files and the journal that receive a worker's output. */
export const LogSettings = Schema.Struct({
  maxBytes: setting("max_bytes", Bytes.pipe(Schema.greaterThanOrEqualTo(leastLogBytes)), 10 * 2 ** 20, {
    description: "Size at which the daemon rotates worker.log to worker.log.1.",
    expects: `a whole number of bytes, at least ${leastLogBytes}`
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
    description:
      "Mask secrets in worker.log: the values of the env file and of `env`, and inherited variables named like *_KEY or *_TOKEN. Verdicts and events never show them.",
    expects: "true or false"
  }),
  journal: setting("journal", Schema.Boolean, true, {
    description: "Also send the worker's output to the journal when systemd runs the daemon.",
    expects: "true or false"
  })
})
export type LogSettings = typeof LogSettings.Type

/** A smaller file would hold less than a day. */
const leastHistoryBytes = 64 * 1024

/** The `[history]` table: the retention of events. */
export const HistorySettings = Schema.Struct({
  maxBytes: setting("max_bytes", Bytes.pipe(Schema.greaterThanOrEqualTo(leastHistoryBytes)), 10 * 2 ** 20, {
    description: "Size at which the daemon rotates history.jsonl. It keeps one previous file.",
    expects: `a whole number of bytes, at least ${leastHistoryBytes}`,
    topLevelOnly: aboutDaemon
  }),
  maxAgeDays: setting("max_age_days", Schema.Int.pipe(Schema.between(1, 36_500)), 90, {
    description: "Age in days after which the daemon deletes events.",
    expects: "a whole number of days from 1 to 36500",
    topLevelOnly: aboutDaemon
  })
})
export type HistorySettings = typeof HistorySettings.Type
