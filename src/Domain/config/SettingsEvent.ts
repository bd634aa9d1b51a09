import * as Schema from "effect/Schema"
import { ProjectName } from "../Project.ts"
import { humanDuration, processes } from "../text/Amounts.ts"
import { quoted } from "../text/Printable.ts"
import type { Message } from "../text/Style.ts"
import { perhaps } from "../Wire.ts"

const ofProject = { project: ProjectName }

/** The events of the settings. */
export const SettingsEvent = Schema.Union(
  Schema.TaggedStruct("ProjectAdded", { ...ofProject, by: perhaps(Schema.String) }),
  /** `why` says why processes are left behind, and what helps. */
  Schema.TaggedStruct("ProjectRemoved", {
    ...ofProject,
    leftBehind: Schema.Array(Schema.Int),
    why: perhaps(Schema.String)
  }),
  Schema.TaggedStruct("SettingsReloaded", {
    by: Schema.String,
    /** Keys only: the values may be secrets. */
    changed: Schema.Array(Schema.String),
    awaitingRestart: Schema.Array(Schema.String)
  }),
  Schema.TaggedStruct("SettingsRefused", { by: Schema.String, reason: Schema.String }),
  Schema.TaggedStruct("RemovalAwaited", { projects: Schema.Array(Schema.String), forMs: Schema.Number }),
  Schema.TaggedStruct("SettingsWritten", { path: Schema.String, changed: Schema.Array(Schema.String) })
)
export type SettingsEvent = typeof SettingsEvent.Type

/** The event as the log shows it. */
export const describeSettings = (event: SettingsEvent): Message => {
  switch (event._tag) {
    case "ProjectAdded":
      return { level: "info", text: `Added by ${event.by ?? "the settings"}` }
    case "ProjectRemoved":
      return event.leftBehind.length === 0
        ? { level: "info", text: "Removed by the settings; all its processes have exited" }
        : {
            level: "error",
            text:
              event.why === undefined
                ? `Removed by the settings, but ${processes(event.leftBehind)} could not be killed`
                : `Removed by the settings, but left processes behind: ${event.why}`
          }
    case "SettingsReloaded": {
      const changed = event.changed.length === 0 ? "nothing has changed" : event.changed.join(", ")
      const awaiting =
        event.awaitingRestart.length === 0
          ? ""
          : `; needs a restart of the worker: ${event.awaitingRestart.join(", ")}`
      return { level: "info", text: `Settings reloaded (${event.by}): ${changed}${awaiting}` }
    }
    case "SettingsRefused":
      return {
        level: "error",
        text: `Settings not reloaded (${event.by}), the previous ones stay in force: ${event.reason}`
      }
    case "RemovalAwaited": {
      const names = `project${event.projects.length === 1 ? "" : "s"} ${event.projects.map(quoted).join(", ")}`
      return {
        level: "warning",
        text: `The settings file has no ${names} any more. The daemon stops the removed workers when the file stays as it is for ${humanDuration(event.forMs)}`
      }
    }
    case "SettingsWritten":
      return {
        level: "info",
        text: `Settings written to ${event.path}: ${event.changed.length === 0 ? "nothing differs from those in force" : event.changed.join(", ")}`
      }
  }
}
