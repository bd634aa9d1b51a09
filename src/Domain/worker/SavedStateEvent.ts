import * as Schema from "effect/Schema"
import { ProjectName } from "../Project.ts"
import type { Message } from "../text/Level.ts"

const ofProject = { project: ProjectName }

/** What of a project outlives the daemon, and what became of it. */
export const SavedStateEvent = Schema.Union(
  Schema.TaggedStruct("StateCleared", { ...ofProject, what: Schema.String }),
  Schema.TaggedStruct("StateKept", { ...ofProject, what: Schema.String }),
  Schema.TaggedStruct("StateNotSaved", { ...ofProject, reason: Schema.String }),
  Schema.TaggedStruct("StateUnreadable", { ...ofProject, reason: Schema.String }),
  Schema.TaggedStruct("ProjectSelected", { ...ofProject, before: ProjectName }),
  Schema.TaggedStruct("SelectionNotSaved", { ...ofProject, reason: Schema.String })
)
export type SavedStateEvent = typeof SavedStateEvent.Type

/** What happened, as a person reads it in the log. */
export const describeSavedState = (event: SavedStateEvent): Message => {
  switch (event._tag) {
    case "StateCleared":
      return { level: "info", text: `A fresh start: cleared ${event.what}` }
    case "StateKept":
      return { level: "info", text: `Going on as before: ${event.what}` }
    case "StateNotSaved":
      return {
        level: "error",
        text: `The worker's state could not be saved, so a restart of the daemon would not know it: ${event.reason}`
      }
    case "StateUnreadable":
      return { level: "error", text: `The saved state is ignored: ${event.reason}` }
    case "ProjectSelected":
      return {
        level: "info",
        text: `Selected instead of ${event.before}: commands that name no project mean it`
      }
    case "SelectionNotSaved":
      return {
        level: "error",
        text: `The selection could not be saved, so a restart of the daemon would not know it: ${event.reason}`
      }
  }
}
