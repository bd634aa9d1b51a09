import type { Merged } from "./SettingsMerge.ts"

/** Read and checked, but nothing in this version acts on them: a person who sets one must be told. */
const withoutEffect: ReadonlyArray<string> = [
  "memory.min_available_bytes",
  "memory.critical_threshold_bytes",
  "memory.node_kill_threshold_bytes",
  "memory.hog_names",
  "memory.hog_policy",
  "memory.protect",
  "memory.worker_limit_bytes",
  "memory.critical_restart",
  "memory.dry_run",
  "restart.stall_timeout_ms"
]

/** The settings that somebody has set and that this version does not act on yet, as one sentence; undefined: none. */
export const notInForce = (provenance: Merged["provenance"]): string | undefined => {
  const keys = withoutEffect.filter((key) => provenance.has(key))
  return keys.length === 0
    ? undefined
    : `${keys.join(", ")} ${keys.length === 1 ? "is" : "are"} checked, but this version does not act on ${keys.length === 1 ? "it" : "them"} yet: ` +
        "memory and output are watched, and nothing is ended or restarted for them"
}
