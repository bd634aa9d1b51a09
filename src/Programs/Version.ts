/** The build defines it from package.json. Absent when the sources run unbundled, as in tests. */
declare const AUTOPILOTD_VERSION: string | undefined

export const version: string = typeof AUTOPILOTD_VERSION === "string" ? AUTOPILOTD_VERSION : "0.0.0-source"
