import { humanBytes } from "../text/Amounts.ts"
import { error, type Finding, fine, warning } from "./Finding.ts"

/** The facts about a daemon's home. */
export interface HomeFacts {
  readonly path: string
  /** True when nothing else is known, because the disk did not answer. */
  readonly isSilent?: true
  /** Undefined before the first start. */
  readonly folder:
    | {
        readonly mode: number
        /** Why it cannot be trusted: continues a sentence that begins with the path. */
        readonly distrust: { readonly reason: string; readonly chmod: string | undefined } | undefined
        /** Why it cannot be written, and what to do, both without a full stop; undefined where it can. */
        readonly unwritable: { readonly reason: string; readonly advice: string } | undefined
        /** Locks and sockets of a network file system may not work between machines. */
        readonly isNetworkFileSystem: boolean
      }
    | undefined
  /** Undefined where the file system does not report it. */
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | undefined
  readonly socketPath: string
  readonly socketPathBytes: number
  readonly maxSocketPathBytes: number
  readonly hasSocket: boolean
  /** The temporary files of writers that were killed. */
  readonly leftFiles: ReadonlyArray<string>
}

const home = "Home"

const folderFinding = ({ folder, isSilent, path }: HomeFacts): Finding => {
  if (isSilent) return error(home, `The disk of ${path} does not answer.`, "Check that disk, or unmount it")
  if (folder === undefined) return fine(home, `${path} does not exist yet. The first start creates it.`)
  if (folder.distrust !== undefined) {
    return error(
      home,
      `${path} ${folder.distrust.reason}, and its files say what runs as you.`,
      folder.distrust.chmod === undefined
        ? "Set AUTOPILOT_HOME to a folder of your own"
        : `Look through its files, then run: chmod 700 ${path}`
    )
  }
  if (folder.unwritable !== undefined) {
    const { advice, reason } = folder.unwritable
    return error(home, `${path} cannot be written: ${reason}.`, `${advice}, or set AUTOPILOT_HOME`)
  }
  if ((folder.mode & 0o077) !== 0) {
    return warning(
      home,
      `${path} is open to other users (mode ${(folder.mode & 0o777).toString(8)}), and its socket runs commands. The next start sets mode 700.`,
      `chmod 700 ${path}`
    )
  }
  return folder.isNetworkFileSystem
    ? warning(
        home,
        `${path} is on a network file system: its lock may not hold on another machine, and a slow network blocks the daemon.`,
        "Set AUTOPILOT_HOME to a folder on a local disk"
      )
    : fine(home, path)
}

const socketFinding = (facts: HomeFacts): ReadonlyArray<Finding> =>
  facts.socketPathBytes > facts.maxSocketPathBytes
    ? [
        error(
          "Socket",
          `${facts.socketPath} has ${facts.socketPathBytes} bytes, but Linux allows ${facts.maxSocketPathBytes} for a socket.`,
          "Set AUTOPILOT_HOME to a shorter path"
        )
      ]
    : []

/** The room for the daemon's own state, whatever the settings of the logs. */
const leastFreeBytes = 20 * 2 ** 20

const diskFinding = ({ disk, path }: HomeFacts, minFreeBytes: number): ReadonlyArray<Finding> => {
  if (disk === undefined) return []
  const free = `${humanBytes(disk.freeBytes)} of ${humanBytes(disk.totalBytes)} is free`
  const cure = `Free some space on the disk of ${path}`
  if (disk.freeBytes < leastFreeBytes) {
    return [error("Disk", `${free}, too little for the daemon's state.`, cure)]
  }
  return disk.freeBytes < minFreeBytes
    ? [
        warning(
          "Disk",
          `${free}. Below ${humanBytes(minFreeBytes)} (log.min_free_bytes) the daemon does not log workers' output.`,
          cure
        )
      ]
    : [fine("Disk", `${free}.`)]
}

const leftFinding = ({ hasSocket, leftFiles, path }: HomeFacts, isRunning: boolean) => {
  const files = [...leftFiles, ...(hasSocket && !isRunning ? ["autopilotd.sock"] : [])]
  if (files.length === 0) return []
  return [
    fine(
      "Leftovers",
      `A killed daemon or command left ${files.join(", ")} in ${path}. They are harmless: the next start replaces them.`
    )
  ]
}

/** Judges the daemon's home. `minFreeBytes` is the setting log.min_free_bytes. */
export const homeFindings = (
  facts: HomeFacts,
  { isRunning, minFreeBytes }: { readonly isRunning: boolean; readonly minFreeBytes: number }
): ReadonlyArray<Finding> => [
  folderFinding(facts),
  ...socketFinding(facts),
  ...diskFinding(facts, minFreeBytes),
  ...leftFinding(facts, isRunning)
]
