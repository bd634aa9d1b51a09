import * as Schema from "effect/Schema"
import { MemoryLevel } from "../memory/MemoryLevel.ts"
import { Count, perhaps } from "../Wire.ts"

const entry = {
  pid: Count,
  name: Schema.String,
  command: Schema.String,
  /** Memory and swap. */
  memory_bytes: Count,
  /** The part in swap; also 0 while hardly any swap is in use, because then it is not read. */
  swap_bytes: Count,
  /** The project of the worker that `reason` is about. */
  project: perhaps(Schema.String),
  /** Why, in one sentence. */
  reason: Schema.String
}

/** A process that would be killed. */
export const HogRow = Schema.Struct({ ...entry, kind: Schema.Literal("leftover", "orphan", "hog") })
export type HogRow = typeof HogRow.Type

/** A process that would be spared. */
export const SparedRow = Schema.Struct({
  ...entry,
  kind: Schema.Literal(
    "daemon",
    "ancestor",
    "system",
    "other-user",
    "protected",
    "other-daemon",
    "worker",
    "unclear",
    "outside-cgroup",
    "small",
    "own-only",
    "other-name",
    "smaller-than-worker"
  )
})
export type SparedRow = typeof SparedRow.Type

/** The answer to Hogs: the state at this moment. Nothing is killed. */
export const HogsData = Schema.Struct({
  memory_level: MemoryLevel,
  memory_available_bytes: Count,
  memory_total_bytes: Count,
  memory_min_available_bytes: Count,
  memory_critical_threshold_bytes: Count,
  /** The folder of the cgroup that leaves less memory than the machine has available. Absent without such a cgroup. */
  memory_bound_by: perhaps(Schema.String),
  /** The settings in force. */
  hog_policy: Schema.Literal("cause", "any", "own"),
  hog_names: Schema.Array(Schema.String),
  node_kill_threshold_bytes: Count,
  dry_run: Schema.Boolean,
  /** The part of the short memory that each worker holds, largest first. */
  workers: Schema.Array(Schema.Struct({ project: Schema.String, memory_bytes: Count, processes: Count })),
  /** Would be killed while memory is low, one after the other, in this order. */
  would_end: Schema.Array(HogRow),
  /** All other processes that are as large as the threshold, or have strayed from a worker of this home. */
  would_spare: Schema.Array(SparedRow)
})
export type HogsData = typeof HogsData.Type
