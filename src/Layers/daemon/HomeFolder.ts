import { homedir } from "node:os"
import { isAbsolute, join, resolve } from "node:path"

const ofSystem = (): string | undefined => {
  try {
    return homedir()
  } catch {
    // The user has no entry in /etc/passwd, as usual in a container with a uid of its own.
    return undefined
  }
}

/** The user's home; undefined where it is unknown or not absolute: a relative one would be another in every folder. */
export const userHome = (): string | undefined => {
  const home = process.env["HOME"] ?? ofSystem()
  return home !== undefined && isAbsolute(home) ? home : undefined
}

/** `$AUTOPILOT_HOME`, by default `~/.autopilot`; undefined where there is neither. */
export const autopilotFolder = (): string | undefined => {
  const configured = process.env["AUTOPILOT_HOME"]
  if (configured !== undefined && configured !== "") return resolve(configured)
  const home = userHome()
  return home === undefined ? undefined : join(home, ".autopilot")
}

export const socketBelow = (root: string): string => join(root, "autopilotd.sock")

export const settingsBelow = (root: string): string => join(root, "daemon.toml")

export const envFileBelow = (root: string): string => join(root, "env")

export const binBelow = (root: string): string => join(root, "bin")

export const historyBelow = (root: string): string => join(root, "history.jsonl")

export const logsBelow = (root: string): string => join(root, "logs")
