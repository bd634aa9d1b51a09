import { fstatSync } from "node:fs"

/** Standard output is a terminal. Its stream, for which Node loads thirty modules, is asked only where it is a device. */
export const isTerminal = (): boolean => {
  try {
    return fstatSync(1).isCharacterDevice() && process.stdout.isTTY
  } catch {
    return false // started with the descriptor closed
  }
}

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
  !isSet("NO_COLOR") && (isForced() || (!wantsPlain() && isTerminal()))

/** The width of the terminal; undefined where standard output is none. */
export const terminalColumns = (): number | undefined =>
  // A terminal that does not know its size says 0.
  isTerminal() && process.stdout.columns > 0 ? process.stdout.columns : undefined
