// earlyoom, the peer that ends processes when memory is low. It runs as a user to whom nothing here belongs.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "autopilotd-tests/earlyoom")

const ran = (command, args, options = {}) => {
  const { error, status, stderr } = spawnSync(command, args, { encoding: "utf8", ...options })
  if (status !== 0)
    throw new Error(error?.message ?? `${command} ${args[0]}: ${stderr.trim().split("\n").at(-1)}`)
}

/** Debian's package, unpacked into a cache and not installed; or whichever is installed. */
const programOf = (folder) => {
  for (const known of ["/usr/bin/earlyoom", join(cache, "usr/bin/earlyoom")])
    if (existsSync(known)) return known
  mkdirSync(cache, { recursive: true })
  ran("apt-get", ["-qq", "download", "earlyoom"], { cwd: folder })
  ran("sh", ["-c", 'dpkg -x earlyoom_*.deb "$1"', "sh", cache], { cwd: folder })
  return join(cache, "usr/bin/earlyoom")
}

export const nobody = 65534

/** Without capabilities: what it must not end it cannot end either. */
const asNobody = [
  `--reuid=${nobody}`,
  `--regid=${nobody}`,
  "--clear-groups",
  "--bounding-set=-all",
  "--no-new-privs"
]

/** Starts it with a /proc/meminfo of its own. Throws the reason where it cannot be had. */
export const startEarlyoom = ({ folder, start }, meminfo, args) => {
  const command = meminfo.by("setpriv", [...asNobody, programOf(folder), "-r", "0", ...args])
  return start(...command, { stdio: ["ignore", "ignore", "pipe"] })
}
