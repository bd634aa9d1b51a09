/** https://no-color.org: any value that is not empty. */
export const wantsPlain = (): boolean =>
  (process.env["NO_COLOR"] ?? "") !== "" || process.env["TERM"] === "dumb"

/** Standard output is a terminal that shows colours. */
export const showsColour = (): boolean => process.stdout.isTTY && !wantsPlain()
