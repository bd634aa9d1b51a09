import * as fs from "node:fs"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { groupFolders, memoryMounts, unifiedCgroupOf } from "../../Domain/machine/CgroupMemory.ts"
import { daemonGroup } from "../../Domain/tree/WorkerGroup.ts"
import { errorCode } from "../files/SystemError.ts"
import type { KernelRoots } from "../machine/MemoryReader.ts"
import { GroupRefused, refusable } from "./WorkerGroup.ts"

/** Where the kernel's files are, and who the daemon is; tests have their own. */
export interface GroupSurroundings extends KernelRoots {
  readonly pid: number
}

/** The group of the daemon's unit, in which groups can be made. */
export interface DelegatedGroup {
  readonly folder: string
  /** As `/proc/<pid>/cgroup` names it. */
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

/** Finds the folder of the unit's group, in which the daemon is, or in the leaf of which. */
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
    // A container may be told the names outside: the right folder is the one in which this process is seen.
    const folder = memoryMounts(mountInfo ?? "", 2)
      .map((mount) => ({ ...mount, mountPoint: mount.mountPoint.replace(/^\/sys(?=\/|$)/, () => sys) }))
      .flatMap((mount) => groupFolders(mount, path).slice(0, 1))
      .find((folder) => isIn(folder, pid) || isIn(join(folder, daemonGroup), pid))
    return folder === undefined ? yield* refuse("its folder is not visible") : { folder, path }
  })

/**
 * Takes over the group of the daemon's unit, which must have been delegated: the daemon moves into a leaf of it, for a
 * group in which memory is limited may have no members of its own. Nothing is done when it was done before.
 */
export const takeOver = (path: string, surroundings: GroupSurroundings) =>
  Effect.tap(find(path, surroundings), ({ folder }) =>
    refusable(folder, async () => {
      const leaf = join(folder, daemonGroup)
      await mkdir(leaf, { recursive: true })
      // Once for the process: all its threads go along.
      if (!isIn(leaf, surroundings.pid)) {
        await writeFile(join(leaf, "cgroup.procs"), String(surroundings.pid))
      }
    })
  )

/** What the daemon has run to find out about itself may be just ending in the group that is to be without members. */
const endingPatience = Schedule.spaced("10 millis").pipe(Schedule.upTo("1 seconds"))

/** Has memory accounted for each group in this one, where the kernel offers that here. */
export const accountMemory = ({ folder }: DelegatedGroup): Effect.Effect<void, GroupRefused> =>
  refusable(folder, async () => {
    const words = (name: string) => fs.readFileSync(join(folder, name), "latin1").trim().split(" ")
    if (!words("cgroup.controllers").includes("memory")) return
    if (words("cgroup.subtree_control").includes("memory")) return
    await writeFile(join(folder, "cgroup.subtree_control"), "+memory")
  }).pipe(Effect.retry(endingPatience))
