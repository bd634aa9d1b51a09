import type { ProjectName } from "./Project.ts"

/**
 * The characters of a project's name, which is a folder name below `$AUTOPILOT_HOME/logs` and a part of the worker's id.
 * The rules stand apart from the schema, which is too large for what reads a command line.
 */
export const projectNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** The rules in words, which complete "must be ...". */
export const projectNameExpected =
  "1 to 64 letters, digits, '.', '_' or '-' that begin with a letter or a digit (autopilotd.log is taken)"

/** The daemon's own log stands in the same folder. */
export const isReserved = (name: string): boolean => name.startsWith("autopilotd.log")

export const isProjectName = (text: unknown): text is ProjectName =>
  typeof text === "string" && projectNamePattern.test(text) && !isReserved(text)
