import * as fs from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import {
  type CgroupVersion,
  groupFolders,
  memoryCgroupOf,
  memoryMounts
} from "../../../src/Domain/machine/CgroupMemory.ts"
import { eventually } from "../TestDaemon.ts"

/** A cgroup of a test's own, with a limit of its memory. */
export interface MemoryGroup {
  readonly folder: string
  /** What it has used, page cache included, in bytes. */
  readonly usedBytes: () => number
  readonly pids: () => ReadonlyArray<number>
  /** How many of its processes the kernel has killed because it was full. */
  readonly oomKills: () => number
  /** Takes a process in. */
  readonly take: (pid: number) => void
}

const names = {
  1: { limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes", kills: "memory.oom_control" },
  2: { limit: "memory.max", usage: "memory.current", kills: "memory.events" }
} as const

interface Place {
  readonly version: CgroupVersion
  /** The folder in which groups can be made. */
  readonly above: string
}

/** Below the group of this process in version 1; in version 2 below the root, as a group has either members or groups. */
const find = (): Place | undefined => {
  const own = memoryCgroupOf(fs.readFileSync("/proc/self/cgroup", "latin1"))
  if (own === undefined) return undefined
  const mounts = memoryMounts(fs.readFileSync("/proc/self/mountinfo", "latin1"), own.version)
  const folders = mounts
    .map((mount) => groupFolders(mount, own.path))
    .find(([folder]) => folder !== undefined && fs.existsSync(folder))
  const above = own.version === 1 ? folders?.at(0) : folders?.at(-1)
  return above === undefined ? undefined : { version: own.version, above }
}

const make = ({ above, version }: Place, limitBytes: number): MemoryGroup => {
  const folder = fs.mkdtempSync(join(above, "autopilotd-test-"))
  try {
    fs.writeFileSync(join(folder, names[version].limit), String(limitBytes))
  } catch (cause) {
    fs.rmdirSync(folder)
    throw cause
  }
  return {
    folder,
    usedBytes: () => Number(fs.readFileSync(join(folder, names[version].usage), "latin1")),
    pids: () => {
      const text = fs.readFileSync(join(folder, "cgroup.procs"), "latin1").trim()
      return text === "" ? [] : text.split("\n").map(Number)
    },
    oomKills: () => {
      const count = /^oom_kill ([0-9]+)$/m.exec(fs.readFileSync(join(folder, names[version].kills), "latin1"))
      if (count === null) throw new Error(`the kernel does not count kills in ${folder}`)
      return Number(count[1])
    },
    take: (pid) => fs.writeFileSync(join(folder, "cgroup.procs"), String(pid))
  }
}

const place = find()

/** Why no group can be made here; undefined when one can. */
export const noMemoryGroup = ((): string | undefined => {
  if (place === undefined) return "no cgroup that accounts memory is mounted"
  try {
    fs.rmdirSync(make(place, 2 ** 30).folder)
    return undefined
  } catch (cause) {
    return `no cgroup with a limit can be made in ${place.above}: ${String(cause)}`
  }
})()

/** Removes a group once its last process is gone; fine when it is removed already. */
export const removeGroup = ({ folder }: MemoryGroup) =>
  eventually(
    `${folder} can be removed`,
    Effect.try(() => {
      if (fs.existsSync(folder)) fs.rmdirSync(folder)
      return true
    })
  )

/** A group that is removed at the end of the scope. What is acquired later is gone by then. */
export const memoryGroup = (limitBytes: number) =>
  Effect.acquireRelease(
    Effect.suspend(() =>
      place === undefined
        ? Effect.dieMessage("no cgroup that accounts memory is mounted")
        : Effect.sync(() => make(place, limitBytes))
    ),
    removeGroup
  )
