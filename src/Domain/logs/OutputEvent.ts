import * as Schema from "effect/Schema"
import { ProjectName } from "../Project.ts"
import type { Message } from "../text/Style.ts"

const ofProject = { project: ProjectName }

/** Events about the way of a worker's output to `worker.log`. */
export const OutputEvent = Schema.Union(
  Schema.TaggedStruct("OutputDropped", { ...ofProject, lines: Schema.Int, reason: Schema.String }),
  /** Reported once, until the log is writable again. */
  Schema.TaggedStruct("LogNotWritten", { ...ofProject, reason: Schema.String }),
  Schema.TaggedStruct("LogWritten", ofProject)
)
export type OutputEvent = typeof OutputEvent.Type

/** The event as the log shows it. */
export const describeOutput = (event: OutputEvent): Message => {
  switch (event._tag) {
    case "OutputDropped":
      return {
        level: "warning",
        text: `Dropped ${event.lines} lines of the worker's output: ${event.reason}`
      }
    case "LogNotWritten":
      return {
        level: "error",
        text: `The worker's log cannot be written, the worker keeps running: ${event.reason}`
      }
    case "LogWritten":
      return { level: "info", text: "The worker's log is writable again" }
  }
}
