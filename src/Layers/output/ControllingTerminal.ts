import * as fs from "node:fs"

/** A person can be asked, also where the standard streams are redirected: ssh and sudo ask on /dev/tty. */
export const hasControllingTerminal = (): boolean => {
  try {
    fs.closeSync(fs.openSync("/dev/tty", "r+"))
    return true
  } catch {
    // ENXIO: started by a service, by cron, or in a session of its own.
    return false
  }
}

/** All standard streams are a terminal. */
export const isAllTerminal = (): boolean =>
  process.stdin.isTTY === true && process.stdout.isTTY === true && process.stderr.isTTY === true

/** The variables by which a user steers colours. */
const colourNames = ["NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"] as const

/**
 * The variables that give a command on another machine the colours that it would have here. Without a terminal of its own it
 * does not see that ours shows colours.
 */
export const colourVariables = (
  hasTerminal: boolean,
  showsColour: boolean
): Readonly<Record<string, string>> => ({
  ...(showsColour && !hasTerminal ? { FORCE_COLOR: "1" } : {}),
  ...Object.fromEntries(
    colourNames.flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    })
  )
})
