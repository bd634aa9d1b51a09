import * as Schema from "effect/Schema"
import { Count } from "../Wire.ts"

/** The memory of the machine and the thresholds, in force from a row on. */
const LimitsData = Schema.Struct({
  /** The beginning of the first row that they apply to. */
  at_ms: Count,
  total_bytes: Count,
  low_bytes: Count,
  critical_bytes: Count
})

/** Rows of the memory timeline, as columns of one length: the answer to Samples. */
export const SamplesData = Schema.Struct({
  /** The time that a row covers. A row is absent where no daemon ran. */
  width_ms: Count,
  /** The beginning of each row, the oldest first. */
  at_ms: Schema.Array(Count),
  /** The least memory available in that time. */
  available_bytes: Schema.Array(Count),
  /** The changes, the oldest first. The first one applies to the first row. */
  limits: Schema.Array(LimitsData),
  /** By project: the most that the worker's process tree held, swap included; null while there was none. */
  trees: Schema.Record({ key: Schema.String, value: Schema.Array(Schema.NullOr(Count)) })
})
export type SamplesData = typeof SamplesData.Type

/** The timeline as it outlives the daemon. */
export const SavedSamples = Schema.Struct({
  version: Schema.Literal(1),
  fine: SamplesData,
  coarse: SamplesData
})
export type SavedSamples = typeof SavedSamples.Type
