import * as fs from "node:fs"

const closesOnExec = 0o2000000

/** Whether programs that this process starts would inherit a descriptor. Node's own are never inherited. */
const isInherited = (descriptor: number): boolean => {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(
      fs.readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1")
    )?.[1]
    return flags !== undefined && (Number.parseInt(flags, 8) & closesOnExec) === 0
  } catch {
    // Closed meanwhile, as the one that lists the folder.
    return false
  }
}

/**
 * Closes what the caller left open beside the standard streams and the launcher's socket to systemd: the workers would
 * hold it all night, such as the lock of a script or the pipe of `make`. Node itself protects only the first 16. Without
 * /proc nothing is closed.
 */
export const closeInheritedDescriptors = (): void => {
  const kept = Number(process.env["AUTOPILOTD_NOTIFY_FD"])
  const names = ((): ReadonlyArray<string> => {
    try {
      return fs.readdirSync("/proc/self/fd")
    } catch {
      return []
    }
  })()
  for (const descriptor of names.map(Number)) {
    if (descriptor > 2 && descriptor !== kept && isInherited(descriptor)) fs.closeSync(descriptor)
  }
}
