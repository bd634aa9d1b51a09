import * as Schema from "effect/Schema"
import { ProjectName } from "../Project.ts"
import type { Message } from "../text/Style.ts"

const ofProject = { project: ProjectName }

/** Events about the saved state of a project and about the selection, which outlive the daemon. */
export const SavedStateEvent = Schema.Union(
  Schema.TaggedStruct("StateCleared", { ...ofProject, what: Schema.String }),
  Schema.TaggedStruct("StateKept", { ...ofProject, what: Schema.String }),
  Schema.TaggedStruct("StateNotSaved", { ...ofProject, reason: Schema.String }),
  Schema.TaggedStruct("StateUnreadable", { ...ofProject, reason: Schema.String }),
  Schema.TaggedStruct("ProjectSelected", { ...ofProject, before: ProjectName }),
  Schema.TaggedStruct("SelectionNotSaved", { ...ofProject, reason: Schema.String })
)
export type SavedStateEvent = typeof SavedStateEvent.Type

/** The event as the log shows it. */
export const describeSavedState = (event: SavedStateEvent): Message => {
  switch (event._tag) {
    case "StateCleared":
      return { level: "info", text: `Fresh start: cleared ${event.what}` }
    case "StateKept":
      return { level: "info", text: `Resumed the saved state: ${event.what}` }
    case "StateNotSaved":
      return {
        level: "error",
        text: `The worker's state could not be saved and would be lost with the daemon: ${event.reason}`
      }
    case "StateUnreadable":
      return { level: "error", text: `Ignored the saved state: ${event.reason}` }
    case "ProjectSelected":
      return {
        level: "info",
        text: `Selected instead of ${event.before}: commands without --project now apply to it`
      }
    case "SelectionNotSaved":
      return {
        level: "error",
        text: `The selection could not be saved and would be lost with the daemon: ${event.reason}`
      }
  }
}
