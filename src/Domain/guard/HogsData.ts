import * as Schema from "effect/Schema"
import { MemoryLevel } from "../memory/MemoryLevel.ts"
import { Count, perhaps } from "../Wire.ts"

const entry = {
  pid: Count,
  name: Schema.String,
  command: Schema.String,
  /** What it holds, swap included. */
  memory_bytes: Count,
  /** The part of it in swap; 0 also where hardly any swap is in use, for then it is not looked at. */
  swap_bytes: Count,
  /** Of whose worker it is about. */
  project: perhaps(Schema.String),
  /** Why, in one sentence. */
  reason: Schema.String
}

/** A process that would be ended for memory. */
export const HogRow = Schema.Struct({ ...entry, kind: Schema.Literal("leftover", "orphan", "hog") })
export type HogRow = typeof HogRow.Type

/** A process that would not be. */
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

/** The answer to Hogs: a look at this moment, that ends nothing. */
export const HogsData = Schema.Struct({
  memory_level: MemoryLevel,
  memory_available_bytes: Count,
  memory_total_bytes: Count,
  memory_min_available_bytes: Count,
  memory_critical_threshold_bytes: Count,
  /** The folder of the cgroup that leaves less than the machine has available. Absent: the machine binds. */
  memory_bound_by: perhaps(Schema.String),
  /** The settings that matter. */
  hog_policy: Schema.Literal("cause", "any", "own"),
  hog_names: Schema.Array(Schema.String),
  node_kill_threshold_bytes: Count,
  dry_run: Schema.Boolean,
  /** What the workers hold of the memory that is short, the one with most first. */
  workers: Schema.Array(Schema.Struct({ project: Schema.String, memory_bytes: Count, processes: Count })),
  /** Who would be ended while memory is low, one after the other, in this order. */
  would_end: Schema.Array(HogRow),
  /** Everyone else who is at least as large as the threshold, or whom a worker of this home has lost. */
  would_spare: Schema.Array(SparedRow)
})
export type HogsData = typeof HogsData.Type
