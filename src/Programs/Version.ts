/** Defined by the build from package.json; absent in the unbundled sources, which tests run. */
declare const AUTOPILOTD_VERSION: string | undefined

export const version: string = typeof AUTOPILOTD_VERSION === "string" ? AUTOPILOTD_VERSION : "0.0.0-source"
