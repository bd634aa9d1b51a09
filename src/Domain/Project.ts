import * as Schema from "effect/Schema"
import { isReserved, projectNamePattern } from "./ProjectNameRules.ts"

/** The name of a project. */
export const ProjectName = Schema.String.pipe(
  Schema.pattern(projectNamePattern, {
    message: () =>
      "a project name is 1 to 64 letters, digits, '.', '_' or '-', and begins with a letter or a digit"
  }),
  Schema.filter((name) => !isReserved(name), {
    message: () => "a project cannot be called autopilotd.log: that is the daemon's own log",
    jsonSchema: { not: { pattern: "^autopilotd\\.log" } }
  }),
  Schema.brand("ProjectName")
)
export type ProjectName = typeof ProjectName.Type

/**
 * The name of a project without a `project` setting. The schema would make it, and would then be in every bundle that prints
 * an event; a test holds that it accepts the name.
 */
export const unnamed = "default" as ProjectName
