import * as Schema from "effect/Schema"
import type { Level, Message } from "../text/Style.ts"
import { MemoryLevel } from "./MemoryLevel.ts"
import { MemoryFigures } from "./MemorySample.ts"
import { describeLevel } from "./MemoryWords.ts"

/** The events of the memory monitor. */
export const MemoryEvent = Schema.Union(
  /** `level` is the new one. A return to a better level is reported once it has lasted. */
  Schema.TaggedStruct("MemoryLevelChanged", { ...MemoryFigures.fields, before: MemoryLevel }),
  Schema.TaggedStruct("MemoryFileUnusable", {
    path: Schema.String,
    reason: Schema.String,
    consequence: Schema.String
  }),
  Schema.TaggedStruct("MemoryThresholdsUnfit", { reason: Schema.String })
)
export type MemoryEvent = typeof MemoryEvent.Type

const severity: Readonly<Record<MemoryLevel, Level>> = {
  plentiful: "info",
  low: "warning",
  critical: "error"
}

/** The event as the log shows it. */
export const describeMemory = (event: MemoryEvent): Message => {
  switch (event._tag) {
    case "MemoryLevelChanged":
      return { level: severity[event.level], text: describeLevel(event, event.before) }
    case "MemoryFileUnusable":
      return { level: "warning", text: `${event.path} is unusable: ${event.reason}. ${event.consequence}` }
    case "MemoryThresholdsUnfit":
      return {
        level: "warning",
        text: `The configured memory thresholds do not fit this machine, the daemon uses scaled ones: ${event.reason}`
      }
  }
}
