import * as fs from "node:fs/promises"
import { dirname } from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { HomeFacts } from "../../Domain/doctor/HomeFindings.ts"
import { maxSocketPathBytes } from "../control/ControlServerError.ts"
import { AutopilotHome, type HomePaths } from "../daemon/AutopilotHome.ts"

/** Looks at the daemon's home without changing anything. */
export class HomeInspection extends Context.Tag("HomeInspection")<
  HomeInspection,
  { readonly inspect: Effect.Effect<HomeFacts> }
>() {}

/** What `statfs` says of file systems of another machine. https://man7.org/linux/man-pages/man2/statfs.2.html */
const networkFileSystems: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0xff534d42, // CIFS
  0xfe534d42, // SMB2
  0x01021997, // 9P
  0x00c36400, // Ceph
  0x5346414f // AFS
])

/** What cannot be looked at counts as not there. */
const ifThere = <A>(promise: Promise<A>): Promise<A | undefined> => promise.catch(() => undefined)

/** The nearest folder above that exists: its disk is the one that will be written to. */
const nearest = async (path: string): Promise<string> =>
  (await ifThere(fs.stat(path))) !== undefined || dirname(path) === path ? path : nearest(dirname(path))

/** The names that only a writer uses, for moments. */
const isLeft = (name: string): boolean => name.endsWith(".new") || name === ".probe"

const look = async ({ root, socket }: HomePaths): Promise<HomeFacts> => {
  const stat = await ifThere(fs.stat(root))
  const disk = await ifThere(fs.statfs(await nearest(root)))
  const isWritable = await fs.access(root, fs.constants.W_OK | fs.constants.X_OK).then(
    () => true,
    () => false
  )
  const names = (await ifThere(fs.readdir(root))) ?? []
  return {
    path: root,
    folder:
      stat === undefined
        ? undefined
        : {
            mode: stat.mode,
            isOwn: stat.uid === process.getuid?.(),
            isWritable,
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

export const layer: Layer.Layer<HomeInspection, never, AutopilotHome> = Layer.effect(
  HomeInspection,
  Effect.map(AutopilotHome, (paths) => ({ inspect: Effect.promise(() => look(paths)) }))
)
