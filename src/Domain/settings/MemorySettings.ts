import * as Schema from "effect/Schema"
import {
  aboutMachine,
  Bytes,
  bytesExpected,
  IntervalMs,
  intervalExpected,
  optionalSetting,
  orOff,
  setting,
  Text
} from "./Setting.ts"

const texts = "an array of texts"

/** Servers that editors leave running on a machine. Killing one ends its user's session. */
const editorServers: ReadonlyArray<string> = [
  ".vscode-server",
  ".vscode-remote",
  ".vscodium-server",
  ".cursor-server",
  ".windsurf-server",
  ".zed_server",
  "code-server",
  "tsserver.js"
]

/** The `[memory]` table: thresholds, and the processes that may be killed to free memory. Amounts are bytes. */
export const MemorySettings = Schema.Struct({
  minAvailableBytes: optionalSetting("min_available_bytes", Bytes, {
    description: "Available memory below which the daemon kills memory hogs.",
    expects: bytesExpected,
    unset: "2 GiB, at most 20 % of the machine",
    topLevelOnly: aboutMachine
  }),
  criticalThresholdBytes: optionalSetting("critical_threshold_bytes", Bytes, {
    description: "Available memory below which the daemon restarts a worker when no hog is left to kill.",
    expects: bytesExpected,
    unset: "1 GiB, at most 10 % of the machine",
    topLevelOnly: aboutMachine
  }),
  pollIntervalMs: setting("poll_interval_ms", IntervalMs, 5000, {
    description: "Longest time between two readings of the machine's memory.",
    expects: intervalExpected,
    topLevelOnly: aboutMachine
  }),
  nodeKillThresholdBytes: setting("node_kill_threshold_bytes", Bytes, 500 * 2 ** 20, {
    description: "Size below which a process is never a memory hog.",
    expects: bytesExpected,
    topLevelOnly: aboutMachine
  }),
  hogNames: setting("hog_names", Schema.Array(Text), ["node"], {
    description: "Names of programs that the daemon may kill as memory hogs.",
    expects: texts,
    topLevelOnly: aboutMachine
  }),
  hogPolicy: setting("hog_policy", Schema.Literal("cause", "any", "own"), "cause", {
    description:
      "Which hogs to kill: those larger than every worker (cause), all (any), or only leftovers of workers (own).",
    expects: '"cause", "any" or "own"',
    topLevelOnly: aboutMachine
  }),
  protect: setting("protect", Schema.Array(Text), editorServers, {
    description: "Processes that are never killed: program names, path prefixes or parts of a command line.",
    expects: texts,
    topLevelOnly: aboutMachine
  }),
  workerLimitBytes: setting("worker_limit_bytes", orOff(Bytes.pipe(Schema.positive())), false, {
    description: "Memory of a process tree above which the daemon restarts its worker; false means no limit.",
    expects: "a whole number of bytes above 0, or false"
  }),
  criticalRestart: setting("critical_restart", Schema.Literal("always", "if-cause"), "always", {
    description:
      "At critical memory, restart the largest worker always, or only if it holds what is missing (if-cause).",
    expects: '"always" or "if-cause"'
  }),
  dryRun: setting("dry_run", Schema.Boolean, false, {
    description: "Report what the daemon would kill or restart to free memory, and do neither.",
    expects: "true or false",
    topLevelOnly: aboutMachine
  })
})
export type MemorySettings = typeof MemorySettings.Type
