import { counted } from "../text/Amounts.ts"
import { error, type Finding, fine, warning } from "./Finding.ts"

/** The oldest supported Node, as in package.json. */
export const oldestNode = "20.19.0"

const numbers = (version: string): ReadonlyArray<number> =>
  version
    .replace(/^v/, "")
    .split(".")
    .map((part) => Number.parseInt(part, 10))

const isOlder = (version: string, than: string): boolean => {
  const [left, right] = [numbers(version), numbers(than)]
  const at = left.findIndex((part, index) => part !== right[index])
  return at !== -1 && (left[at] ?? 0) < (right[at] ?? 0)
}

/** Judges the runtime of this command. */
export const runtimeFinding = (node: {
  readonly version: string
  readonly path: string
  readonly platform: string
}): Finding => {
  const about = "Node"
  if (isOlder(node.version, oldestNode)) {
    return error(
      about,
      `${node.version} (${node.path}) is too old.`,
      `Install Node ${oldestNode} or newer, then run: autopilotd install`
    )
  }
  return node.platform === "linux"
    ? fine(about, `${node.version}, ${node.path}`)
    : error(
        about,
        `autopilotd needs Linux and its /proc; this is ${node.platform}.`,
        "Run it on Linux, or in a Linux virtual machine"
      )
}

/** Fewer may just have exited. */
const suspiciousZombies = 10

/** Judges the processes that this command sees. */
export const processFindings = (seen: {
  /** Why /proc cannot be used; undefined when it can. */
  readonly foreign: string | undefined
  readonly daemonPid: number | undefined
  /** The exited processes that process 1 has not collected. */
  readonly uncollected: number
}): ReadonlyArray<Finding> => {
  const about = "Processes"
  const cure =
    "Start the daemon through bin/autopilotd as process 1, or run the container with an init (docker run --init)"
  if (seen.foreign !== undefined) {
    return [error(about, seen.foreign, "Mount the /proc of this namespace: mount -t proc proc /proc")]
  }
  if (seen.daemonPid === 1) {
    return [
      warning(
        about,
        "The daemon is process 1 and cannot collect the processes that tools leave behind: they fill the process table.",
        cure
      )
    ]
  }
  return seen.uncollected < suspiciousZombies
    ? []
    : [
        warning(
          about,
          `Process 1 does not collect exited processes: ${counted(seen.uncollected, "zombie")} fill the process table.`,
          cure
        )
      ]
}
