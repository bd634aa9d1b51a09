import * as fs from "node:fs"
import {
  type CgroupVersion,
  cgroupFiles,
  groupFolders,
  memoryCgroupOf,
  memoryMounts,
  parseAmount,
  parseLimit,
  parseReclaimable
} from "../../Domain/machine/CgroupMemory.ts"
import { parsePressure } from "../../Domain/machine/MemoryPressure.ts"
import {
  type CgroupUsage,
  effectiveMemory,
  type MemoryReadResult,
  parseMemInfo,
  type UnusableFile
} from "../../Domain/machine/MemoryReading.ts"
import { type KernelFile, kernelFiles } from "../files/KernelFile.ts"
import { errorCode } from "../files/SystemError.ts"

/** The folders of the kernel's files. Tests have their own. */
export interface KernelRoots {
  readonly proc: string
  readonly sys: string
}

export const kernelRoots: KernelRoots = { proc: "/proc", sys: "/sys" }

/**
 * The interval at which the daemon's groups and their limits are looked up again: the daemon may have been moved, a limit
 * changed. Not at every read, because a lookup waits for the creation and removal of groups, which take long when memory
 * is short.
 */
const lookupIntervalNanos = 60_000_000_000n

/** A missing group is not looked up at every read. */
const shortestLookupNanos = 1_000_000_000n

/** The errors of a removed group, from which the daemon was moved. A file that was open gives ENODEV. */
const goneCodes: ReadonlySet<string | undefined> = new Set(["ENODEV", "ENOENT"])

const limitsUnknown =
  "New limits of cgroups are not seen: only the machine's memory and the known limits count"

/** A group and its open files. */
interface OpenGroup extends Omit<CgroupUsage, "limitBytes"> {
  readonly close: () => void
}

/**
 * Reads the machine's memory within the limits of this process's cgroup and its visible ancestors. `read` takes the time
 * of a clock that never goes back.
 */
export const memoryFiles = ({ proc, sys }: KernelRoots) => {
  const open = kernelFiles()
  const memInfo = open(`${proc}/meminfo`)
  let stall: KernelFile | undefined
  let groups: ReadonlyArray<OpenGroup & { readonly limitBytes: number }> = []
  let lookedUpNanos: bigint | undefined
  /** Found by the last lookup. */
  let lasting: ReadonlyArray<UnusableFile> = []
  let unusable: Array<UnusableFile> = []
  let isGroupGone = false

  /** Reads and parses a file; undefined, with an entry in `unusable`, if that fails. */
  const valueOf = <A>(
    file: Pick<KernelFile, "path" | "text">,
    parse: (text: string) => A | undefined,
    consequence: string
  ): A | undefined => {
    try {
      const value = parse(file.text())
      if (value !== undefined) return value
      unusable.push({ path: file.path, reason: "its contents are not as expected", consequence })
    } catch (cause) {
      if (!(cause instanceof Error) || errorCode(cause) === undefined) throw cause
      unusable.push({ path: file.path, reason: cause.message, consequence })
      isGroupGone ||= goneCodes.has(errorCode(cause))
    }
    return undefined
  }

  const whole = (path: string) => ({ path, text: () => fs.readFileSync(path, "latin1") })

  /**
   * The folders of the daemon's group and its visible ancestors. Undefined when they cannot be read.
   */
  const ownFolders = ():
    | { readonly version: CgroupVersion; readonly folders: ReadonlyArray<string> }
    | undefined => {
    const groups = valueOf(whole(`${proc}/self/cgroup`), (text) => [memoryCgroupOf(text)], limitsUnknown)
    if (groups === undefined) return undefined
    const [own] = groups
    if (own === undefined) return { version: 2, folders: [] }
    const mounts = valueOf(
      whole(`${proc}/self/mountinfo`),
      (text) => memoryMounts(text, own.version),
      limitsUnknown
    )
    if (mounts === undefined) return undefined
    if (mounts.length === 0) {
      const reason = "no cgroup that accounts memory is mounted"
      unusable.push({ path: `${proc}/self/mountinfo`, reason, consequence: limitsUnknown })
    }
    const chains = mounts.map((mount) =>
      groupFolders({ ...mount, mountPoint: mount.mountPoint.replace(/^\/sys(?=\/|$)/, () => sys) }, own.path)
    )
    // In a container /proc may contain the path on the host, which exists below no mount: then the mount is the group.
    const folders = chains.find(([folder]) => folder !== undefined && fs.existsSync(folder))
    return { version: own.version, folders: folders ?? chains[0]?.slice(-1) ?? [] }
  }

  /** Before Linux 5.11 a group of version 1 may limit its own members only. */
  const limitsThoseBelow = (folder: string): boolean => {
    try {
      return fs.readFileSync(`${folder}/memory.use_hierarchy`, "latin1").trim() !== "0"
    } catch {
      // Version 2 has no such file: a group always limits those below.
      return true
    }
  }

  /**
   * The lowest limit of a group. The root has none, nor has a version 2 group without the memory controller. An unreadable
   * limit keeps its last value.
   */
  const limitOf = (folder: string, version: CgroupVersion): number => {
    const known = groups.find((group) => group.folder === folder)?.limitBytes ?? Number.POSITIVE_INFINITY
    const limits = cgroupFiles[version].limits
      .map((name) => `${folder}/${name}`)
      .filter((path) => fs.existsSync(path))
      .map((path) => valueOf(whole(path), parseLimit, "This limit may be outdated or missing") ?? known)
    return Math.min(...limits)
  }

  const openGroup = (folder: string, version: CgroupVersion): OpenGroup => {
    const usage = open(`${folder}/${cgroupFiles[version].usage}`)
    const stat = open(`${folder}/${cgroupFiles[version].stat}`)
    const withoutCache = "The usage of this cgroup does not count, because its page cache is unknown"
    return {
      folder,
      usedBytes: () => valueOf(usage, parseAmount, "The usage of this cgroup does not count"),
      reclaimableBytes: () => valueOf(stat, (text) => parseReclaimable(text, version), withoutCache),
      close: () => {
        usage.close()
        stat.close()
      }
    }
  }

  const lookUp = (nowNanos: bigint) => {
    unusable = []
    lookedUpNanos = nowNanos
    const own = ownFolders()
    if (own !== undefined) {
      const { folders, version } = own
      const before = new Map(groups.map((group) => [group.folder, group]))
      groups = folders
        .filter((folder, at) => at === 0 || version === 2 || limitsThoseBelow(folder))
        .map((folder) => ({ folder, limitBytes: limitOf(folder, version) }))
        .filter(({ limitBytes }) => limitBytes < Number.POSITIVE_INFINITY)
        .map(({ folder, limitBytes }) => ({
          ...(before.get(folder) ?? openGroup(folder, version)),
          limitBytes
        }))
      const kept = new Set(groups.map(({ folder }) => folder))
      for (const [folder, group] of before) if (!kept.has(folder)) group.close()
    }
    stall ??= open(`${proc}/pressure/memory`)
    lasting = unusable
  }

  const stallTotals = () => {
    const totals = stall && valueOf(stall, parsePressure, "Memory pressure is unknown")
    if (totals === undefined) {
      // A kernel without PSI gets none later.
      stall?.close()
      stall = undefined
      lasting = [...unusable]
    }
    return totals
  }

  const readNow = (): MemoryReadResult => {
    unusable = [...lasting]
    const totals = stallTotals()
    const machine = valueOf(memInfo, parseMemInfo, "The daemon does not watch memory until it can be read")
    isGroupGone = false
    if (machine === undefined) return { reading: undefined, unusable }
    return { reading: effectiveMemory(machine, groups, totals), unusable }
  }

  return {
    close: () => {
      for (const file of [...groups, memInfo]) file.close()
      stall?.close()
    },
    read: (nowNanos: bigint): MemoryReadResult => {
      const sinceNanos = lookedUpNanos === undefined ? lookupIntervalNanos : nowNanos - lookedUpNanos
      if (sinceNanos >= lookupIntervalNanos) lookUp(nowNanos)
      const found = readNow()
      if (!isGroupGone || sinceNanos < shortestLookupNanos) return found
      lookUp(nowNanos)
      return readNow()
    }
  }
}

/** The memory of this moment, for a program that does not read it again. */
export const memoryNow = (): MemoryReadResult => {
  const { close, read } = memoryFiles(kernelRoots)
  try {
    return read(0n)
  } finally {
    close()
  }
}
