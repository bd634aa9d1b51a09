import * as fs from "node:fs/promises"
import { dirname } from "node:path"
import * as Effect from "effect/Effect"
import type { HomeFacts } from "../../Domain/doctor/HomeFindings.ts"
import { maxSocketPathBytes } from "../control/Exchange.ts"
import { AutopilotHome, type HomePaths } from "../daemon/AutopilotHome.ts"
import { distrust } from "../files/Ownership.ts"
import { askDisk } from "../files/PathQuestions.ts"
import { messageOf, refusalOf } from "../files/SystemError.ts"

/** The magic numbers of network file systems in statfs(2): https://man7.org/linux/man-pages/man2/statfs.2.html */
const networkFileSystems: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0xff534d42, // CIFS
  0xfe534d42, // SMB2
  0x01021997, // 9P
  0x00c36400, // Ceph
  0x5346414f // AFS
])

/** An unreadable path counts as absent. */
const ifThere = <A>(promise: Promise<A>): Promise<A | undefined> => promise.catch(() => undefined)

/** The nearest existing folder above a path, whose disk the daemon will write to. */
const nearest = async (path: string): Promise<string> =>
  (await ifThere(fs.stat(path))) !== undefined || dirname(path) === path ? path : nearest(dirname(path))

/** The names of temporary files, which a writer keeps for moments. */
const isLeft = (name: string): boolean => name.endsWith(".new") || name === ".probe"

const factsOf = async ({ root, socket }: HomePaths): Promise<HomeFacts> => {
  const stat = await ifThere(fs.stat(root))
  const disk = await ifThere(fs.statfs(await nearest(root)))
  const unwritable = await fs.access(root, fs.constants.W_OK | fs.constants.X_OK).then(
    () => undefined,
    (cause: unknown) => refusalOf(cause) ?? { reason: messageOf(cause), advice: "Check its disk" }
  )
  const names = (await ifThere(fs.readdir(root))) ?? []
  return {
    path: root,
    folder:
      stat === undefined
        ? undefined
        : {
            mode: stat.mode,
            distrust: await distrust(stat),
            unwritable,
            isNetworkFileSystem: disk !== undefined && networkFileSystems.has(disk.type >>> 0)
          },
    disk: disk && { freeBytes: disk.bavail * disk.bsize, totalBytes: disk.blocks * disk.bsize },
    socketPath: socket,
    socketPathBytes: Buffer.byteLength(socket),
    maxSocketPathBytes,
    hasSocket: (await ifThere(fs.lstat(socket))) !== undefined,
    leftFiles: names.filter(isLeft)
  }
}

const nothingKnown = ({ root, socket }: HomePaths): HomeFacts => ({
  path: root,
  isSilent: true,
  folder: undefined,
  disk: undefined,
  socketPath: socket,
  socketPathBytes: Buffer.byteLength(socket),
  maxSocketPathBytes,
  hasSocket: false,
  leftFiles: []
})

/** Inspects the daemon's home without changing it. */
export const inspectHome: Effect.Effect<HomeFacts, never, AutopilotHome> = Effect.flatMap(
  AutopilotHome,
  (paths) =>
    askDisk(
      "doctor",
      paths.root,
      Effect.promise(() => factsOf(paths))
    ).pipe(Effect.catchTag("SilentDisk", () => Effect.succeed(nothingKnown(paths))))
)
