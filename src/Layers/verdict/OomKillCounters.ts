import * as fs from "node:fs"
import {
  type CgroupVersion,
  groupFolders,
  memoryCgroupOf,
  memoryMounts,
  parseAmount
} from "../../Domain/machine/CgroupMemory.ts"
import { kernelFiles } from "../files/KernelFile.ts"
import { errorCode } from "../files/SystemError.ts"
import type { KernelRoots } from "../machine/MemoryReader.ts"

/** Where the kernel counts what it has killed of one cgroup because memory had run out. */
export interface GroupCounter {
  readonly folder: string
  /** Since the group was made; undefined once the group is gone. */
  readonly kills: () => number | undefined
  /** Whose kills are counted; undefined where that is not known. */
  readonly members: () => ReadonlyArray<number> | undefined
  readonly close: () => void
}

/** The counter of a group that was made for one worker. */
interface MadeGroupCounter extends GroupCounter {
  /** The limit of the group, in bytes, where a kill was for that; undefined where it was not, or there is none. */
  readonly reachedLimitBytes: () => number | undefined
}

/** The files with the count, the best first: `memory.events` counts the groups below too. */
const counterFiles = {
  2: ["memory.events.local", "memory.events"],
  1: ["memory.oom_control"]
} as const satisfies Record<CgroupVersion, ReadonlyArray<string>>

/** The same line in all of them and in `/proc/vmstat`, since Linux 4.13. */
const killsLine = /^oom_kill ([0-9]+)$/m

/** How often the group's own limit was reached and nothing could be given back. */
const limitLine = /^oom [1-9]/m

const parseKills = (text: string): number | undefined => {
  const kills = Number(killsLine.exec(text)?.at(1))
  return Number.isSafeInteger(kills) ? kills : undefined
}

/** What cannot be read is not known. */
const ifReadable = <A>(read: () => A): A | undefined => {
  try {
    return read()
  } catch (cause) {
    if (errorCode(cause) === undefined) throw cause
    return undefined
  }
}

/** All of a file: the kernel gives one of many lines in pieces. */
const textOf = (path: string): string | undefined => ifReadable(() => fs.readFileSync(path, "latin1"))

const pidsIn = (folder: string): ReadonlyArray<number> | undefined =>
  textOf(`${folder}/cgroup.procs`)
    ?.split("\n")
    .filter((line) => line !== "")
    .map(Number)

const hasGroupsBelow = (folder: string): boolean =>
  ifReadable(() => fs.readdirSync(folder, { withFileTypes: true }))?.some((entry) => entry.isDirectory()) !==
  false

/** Finds the counters below these roots. Nothing here fails: what is missing or odd is not known. */
export const oomKillCounters = ({ proc, sys }: KernelRoots) => {
  const open = kernelFiles()

  const counterAt = (folder: string, version: CgroupVersion, isOwn: boolean): GroupCounter | undefined => {
    for (const name of counterFiles[version]) {
      const file = open(`${folder}/${name}`)
      const kills = () => ifReadable(() => parseKills(file.text()))
      if (kills() === undefined) {
        file.close()
        continue
      }
      return {
        folder,
        kills,
        members: () =>
          isOwn && (name !== "memory.events" || !hasGroupsBelow(folder)) ? pidsIn(folder) : undefined,
        close: file.close
      }
    }
    return undefined
  }

  return {
    /** How many processes the kernel has killed on this machine; undefined where it does not count them. */
    machineKills: (): number | undefined => {
      const text = textOf(`${proc}/vmstat`)
      return text === undefined ? undefined : parseKills(text)
    },
    /**
     * The counter of a group in version 2 with all groups below it, where that was made for one worker. Undefined where
     * memory is not accounted for it.
     */
    ofGroup: (folder: string): MadeGroupCounter | undefined => {
      const file = open(`${folder}/memory.events`)
      const kills = () => ifReadable(() => parseKills(file.text()))
      if (kills() === undefined) return undefined
      return {
        folder,
        kills,
        members: () => pidsIn(folder),
        reachedLimitBytes: () =>
          ifReadable(() =>
            limitLine.test(file.text()) ? parseAmount(textOf(`${folder}/memory.max`) ?? "") : undefined
          ),
        close: file.close
      }
    },
    /** What names a process's groups: as long as it says the same, they are the same. Undefined once it is gone. */
    groupsOf: (pid: number): string | undefined => textOf(`${proc}/${pid}/cgroup`),
    /**
     * The counter for a process, from what names its groups. In version 2 it may be the one of a group above, where memory
     * is not accounted for each group. Undefined when there is none, or when the process is not seen in its group: a
     * container that is told the names outside could show another group by that name.
     */
    find: (pid: number, groups: string): GroupCounter | undefined => {
      const own = memoryCgroupOf(groups)
      const mounts = own && textOf(`${proc}/self/mountinfo`)
      if (own === undefined || mounts === undefined) return undefined
      const folders = memoryMounts(mounts, own.version)
        .map((mount) => ({ ...mount, mountPoint: mount.mountPoint.replace(/^\/sys(?=\/|$)/, () => sys) }))
        .map((mount) => groupFolders(mount, own.path))
        .find(([folder]) => folder !== undefined && pidsIn(folder)?.includes(pid))
      for (const [at, folder] of (folders ?? []).entries()) {
        const counter = counterAt(folder, own.version, at === 0)
        if (counter !== undefined || own.version === 1) return counter
      }
      return undefined
    }
  }
}
