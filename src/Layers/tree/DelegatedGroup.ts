import * as fs from "node:fs"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { groupFolders, memoryMounts, unifiedCgroupOf } from "../../Domain/machine/CgroupMemory.ts"
import { daemonGroup } from "../../Domain/tree/WorkerGroup.ts"
import { errorCode } from "../files/SystemError.ts"
import type { KernelRoots } from "../machine/MemoryFiles.ts"
import { GroupRefused, refusable } from "./WorkerGroup.ts"

/** The folders of the kernel's files and the pid of the daemon. Tests have their own. */
export interface GroupSurroundings extends KernelRoots {
  readonly pid: number
}

/** The cgroup of the daemon's unit, below which the daemon may create others. */
export interface DelegatedGroup {
  readonly folder: string
  /** Its path in `/proc/<pid>/cgroup`. */
  readonly path: string
}

const isIn = (folder: string, pid: number): boolean => {
  try {
    return fs.readFileSync(join(folder, "cgroup.procs"), "latin1").split("\n").includes(String(pid))
  } catch (cause) {
    if (errorCode(cause) === undefined) throw cause
    return false
  }
}

/** Finds the folder of the unit's cgroup: the daemon must be in it, or in its leaf. */
const find = (path: string, { pid, proc, sys }: GroupSurroundings) =>
  Effect.gen(function* () {
    const refuse = (reason: string) => new GroupRefused({ folder: path, reason })
    const [cgroups, mountInfo] = yield* refusable(path, async () => [
      fs.readFileSync(`${proc}/${pid}/cgroup`, "latin1"),
      fs.readFileSync(`${proc}/${pid}/mountinfo`, "latin1")
    ])
    const own = unifiedCgroupOf(cgroups ?? "")
    if (own === undefined) return yield* refuse("cgroup version 2 is not mounted")
    if (own !== path && own !== `${path}/${daemonGroup}`) {
      return yield* refuse(`the daemon is not in the cgroup of its unit, but in ${own}`)
    }
    // In a container the path may be that on the host. The right folder is the one that lists this process.
    const folder = memoryMounts(mountInfo ?? "", 2)
      .map((mount) => ({ ...mount, mountPoint: mount.mountPoint.replace(/^\/sys(?=\/|$)/, () => sys) }))
      .flatMap((mount) => groupFolders(mount, path).slice(0, 1))
      .find((folder) => isIn(folder, pid) || isIn(join(folder, daemonGroup), pid))
    return folder === undefined ? yield* refuse("its folder is not visible") : { folder, path }
  })

/**
 * Takes over the cgroup of the daemon's unit, which must be delegated: the daemon moves into a leaf of it, because a group
 * with limited children may have no members. Repeating it does nothing.
 */
export const takeOver = (path: string, surroundings: GroupSurroundings) =>
  Effect.tap(find(path, surroundings), ({ folder }) =>
    refusable(folder, async () => {
      const leaf = join(folder, daemonGroup)
      await mkdir(leaf, { recursive: true })
      // Moves all threads of the process.
      if (!isIn(leaf, surroundings.pid)) {
        await writeFile(join(leaf, "cgroup.procs"), String(surroundings.pid))
      }
    })
  )

/** A command that the daemon ran at its start may still be a member of the group. */
const memberPatience = Schedule.spaced("10 millis").pipe(Schedule.upTo("1 seconds"))

/** Enables the memory controller for the groups in this one, if it is available. */
export const accountMemory = ({ folder }: DelegatedGroup): Effect.Effect<void, GroupRefused> =>
  refusable(folder, async () => {
    const words = (name: string) => fs.readFileSync(join(folder, name), "latin1").trim().split(" ")
    if (!words("cgroup.controllers").includes("memory")) return
    if (words("cgroup.subtree_control").includes("memory")) return
    await writeFile(join(folder, "cgroup.subtree_control"), "+memory")
  }).pipe(Effect.retry(memberPatience))
