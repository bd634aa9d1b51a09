import { humanBytes } from "../text/Amounts.ts"
import { error, type Finding, fine, warning } from "./Finding.ts"

/** What was seen of a daemon's home. */
export interface HomeFacts {
  readonly path: string
  /** Undefined: it is not there yet. */
  readonly folder:
    | {
        readonly mode: number
        readonly isOwn: boolean
        readonly isWritable: boolean
        /** Of another machine: its locks and sockets may not hold here. */
        readonly isNetworkFileSystem: boolean
      }
    | undefined
  /** Undefined where the file system does not tell. */
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | undefined
  readonly socketPath: string
  readonly socketPathBytes: number
  /** The longest path that a socket can have. */
  readonly maxSocketPathBytes: number
  /** Whether there is a socket file. */
  readonly hasSocket: boolean
  /** Names of temporary files that a writer has left which was killed. */
  readonly leftFiles: ReadonlyArray<string>
}

const home = "Home"

const folderFinding = ({ folder, path }: HomeFacts): Finding => {
  if (folder === undefined) return fine(home, `${path} is made by the first start.`)
  if (!folder.isOwn) {
    return error(home, `${path} belongs to another user.`, `sudo chown -R "$USER" ${path}`)
  }
  if (!folder.isWritable) {
    return error(home, `${path} cannot be written.`, `chmod u+rwx ${path}, or look at the disk it is on`)
  }
  if ((folder.mode & 0o077) !== 0) {
    return warning(
      home,
      `${path} is open to other users (mode ${(folder.mode & 0o777).toString(8)}): its socket runs commands. A start closes it.`,
      `chmod 700 ${path}`
    )
  }
  return folder.isNetworkFileSystem
    ? warning(
        home,
        `${path} is on a network file system: another machine would not see the lock, and a wait for the network is a wait for the daemon.`,
        "Set AUTOPILOT_HOME to a folder on a local disk"
      )
    : fine(home, path)
}

const socketFinding = (facts: HomeFacts): ReadonlyArray<Finding> =>
  facts.socketPathBytes > facts.maxSocketPathBytes
    ? [
        error(
          "Socket",
          `${facts.socketPath} is ${facts.socketPathBytes} bytes long, and a socket's path may have ${facts.maxSocketPathBytes}.`,
          "Set AUTOPILOT_HOME to a shorter path"
        )
      ]
    : []

/** Below this nothing is left for the daemon's own state, whatever the settings say of logs. */
const leastFreeBytes = 20 * 2 ** 20

const diskFinding = ({ disk, path }: HomeFacts, minFreeBytes: number): ReadonlyArray<Finding> => {
  if (disk === undefined) return []
  const free = `${humanBytes(disk.freeBytes)} of ${humanBytes(disk.totalBytes)} are free`
  const cure = `Free some space on the disk of ${path}`
  if (disk.freeBytes < leastFreeBytes) {
    return [error("Disk", `${free}: what the daemon must remember cannot be written.`, cure)]
  }
  return disk.freeBytes < minFreeBytes
    ? [
        warning(
          "Disk",
          `${free}: workers' output is not kept below ${humanBytes(minFreeBytes)} (log.min_free_bytes).`,
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
      "Left files",
      `A daemon or command that was killed has left ${files.join(", ")} in ${path}. They do no harm: the next start replaces them.`
    )
  ]
}

/** Of the daemon's folder. `minFreeBytes` is how much of its disk is to stay free. */
export const homeFindings = (
  facts: HomeFacts,
  { isRunning, minFreeBytes }: { readonly isRunning: boolean; readonly minFreeBytes: number }
): ReadonlyArray<Finding> => [
  folderFinding(facts),
  ...socketFinding(facts),
  ...diskFinding(facts, minFreeBytes),
  ...leftFinding(facts, isRunning)
]
