import * as Schema from "effect/Schema"
import { MemoryLevel } from "../memory/MemoryLevel.ts"
import { Count, field, perhaps } from "../Wire.ts"

const entry = {
  pid: field(Count, "The process"),
  name: field(Schema.String, "The name of its program"),
  command: field(Schema.String, "Its command line"),
  memory_bytes: field(Count, "Memory and swap"),
  swap_bytes: field(
    Count,
    "The part in swap; also 0 while hardly any swap is in use, because then it is not read"
  ),
  project: perhaps(Schema.String, "The project of the worker that `reason` is about"),
  reason: field(Schema.String, "Why, in one sentence")
}

/** A process that would be killed. */
export const HogRow = Schema.Struct({
  ...entry,
  kind: field(Schema.Literal("leftover", "orphan", "hog"), "Why it may be killed, in one word")
})
export type HogRow = typeof HogRow.Type

/** A process that would be spared. */
export const SparedRow = Schema.Struct({
  ...entry,
  kind: field(
    Schema.Literal(
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
    ),
    "Why it is spared, in one word"
  )
})
export type SparedRow = typeof SparedRow.Type

/** The answer to Hogs: the state at this moment. Nothing is killed. */
export const HogsData = Schema.Struct({
  memory_level: field(MemoryLevel, "The level of the available memory"),
  memory_available_bytes: field(Count, "What the machine, or the cgroup that binds, has left"),
  memory_total_bytes: field(Count, "What it has in all"),
  memory_min_available_bytes: field(Count, "Below this much available memory it is low"),
  memory_critical_threshold_bytes: field(Count, "Below this much available memory it is critical"),
  memory_bound_by: perhaps(
    Schema.String,
    "The folder of the cgroup that leaves less memory than the machine has available. Absent without such a cgroup"
  ),
  hog_policy: field(Schema.Literal("cause", "any", "own"), "`memory.hog_policy`"),
  hog_names: field(Schema.Array(Schema.String), "`memory.hog_names`"),
  node_kill_threshold_bytes: field(Count, "`memory.node_kill_threshold_bytes`"),
  dry_run: field(Schema.Boolean, "`memory.dry_run`: the daemon only reports"),
  workers: field(
    Schema.Array(
      Schema.Struct({
        project: field(Schema.String, "The project of the worker"),
        memory_bytes: field(Count, "What its process tree holds"),
        processes: field(Count, "The size of the process tree")
      })
    ),
    "The part of the short memory that each worker holds, largest first"
  ),
  would_end: field(
    Schema.Array(HogRow),
    "Would be killed while memory is low, one after the other, in this order"
  ),
  would_spare: field(
    Schema.Array(SparedRow),
    "All other processes that are as large as the threshold, or have strayed from a worker of this home"
  )
})
export type HogsData = typeof HogsData.Type
