import { readFileSync, realpathSync } from "node:fs"
import { basename } from "node:path"
import { isVariableName, type LostVariables } from "../../Domain/worker/LostVariables.ts"

const strict = new TextDecoder("utf-8", { fatal: true })

const isText = (bytes: Uint8Array): boolean => {
  try {
    strict.decode(bytes)
    return true
  } catch {
    return false
  }
}

/** The parts of a file of /proc that end with NUL; none without /proc. */
const parts = (path: string): ReadonlyArray<Buffer> => {
  const found: Array<Buffer> = []
  try {
    const bytes = readFileSync(path)
    for (let start = 0; start < bytes.length; ) {
      const end = bytes.indexOf(0, start)
      found.push(bytes.subarray(start, end === -1 ? bytes.length : end))
      start = end === -1 ? bytes.length : end + 1
    }
  } catch {
    // Without /proc nothing is known to be lost.
  }
  return found
}

/** Whether the shell that starts workers passes on variables whose names are no names for it, as only bash does. */
const shellKeepsAll = (): boolean => {
  try {
    return basename(realpathSync("/bin/sh")) === "bash"
  } catch {
    return false
  }
}

/** The variables of the caller that cannot reach a worker as they are. */
export const lostVariables = (): LostVariables => {
  // The launcher is a script of sh and lists what sh is about to drop.
  const byLauncher = (process.env["AUTOPILOTD_LOST_VARIABLES"] ?? "")
    .split(" ")
    .map((name) => name.replace(/=$/, ""))
    .filter((name) => name !== "" && process.env[name] === undefined)
  const byStart = shellKeepsAll() ? [] : Object.keys(process.env).filter((name) => !isVariableName(name))
  return {
    dropped: [...byLauncher, ...byStart],
    changed: parts("/proc/self/environ")
      .filter((entry) => !isText(entry))
      .map((entry) => entry.toString("latin1").replace(/=.*$/s, ""))
  }
}
