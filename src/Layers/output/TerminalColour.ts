const isSet = (name: string): boolean => (process.env[name] ?? "") !== ""

/** https://no-color.org: any value that is not empty. */
export const wantsPlain = (): boolean => isSet("NO_COLOR") || process.env["TERM"] === "dumb"

/** https://force-color.org and https://bixense.com/clicolors: colours also where no terminal is. */
const isForced = (): boolean =>
  ["FORCE_COLOR", "CLICOLOR_FORCE"].some(
    (name) => isSet(name) && process.env[name] !== "0" && process.env[name] !== "false"
  )

/** Standard output shows colours: a terminal does, and what a user says does. NO_COLOR wins. */
export const showsColour = (): boolean =>
  !isSet("NO_COLOR") && (isForced() || (process.stdout.isTTY && !wantsPlain()))

/** The width of the terminal; undefined where standard output is none. */
export const terminalColumns = (): number | undefined =>
  // A terminal that does not know its size says 0.
  process.stdout.isTTY && process.stdout.columns > 0 ? process.stdout.columns : undefined
