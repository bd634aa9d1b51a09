import * as Schema from "effect/Schema"

/**
 * The name of a project. It is a folder name below `$AUTOPILOT_HOME/logs` and a part of the worker's id, hence the
 * characters; the daemon's own log stands in the same folder, hence the reserved name.
 */
export const ProjectName = Schema.String.pipe(
  Schema.pattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
    message: () =>
      "a project name is 1 to 64 letters, digits, '.', '_' or '-', and begins with a letter or a digit"
  }),
  Schema.filter((name) => !name.startsWith("autopilotd.log"), {
    message: () => "a project cannot be called autopilotd.log: that is the daemon's own log",
    jsonSchema: { not: { pattern: "^autopilotd\\.log" } }
  }),
  Schema.brand("ProjectName")
)
export type ProjectName = typeof ProjectName.Type

/** The name of a project without a `project` setting. */
export const unnamed = ProjectName.make("default")
