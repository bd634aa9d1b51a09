import * as fs from "node:fs"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
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
  type MemorySight,
  parseMemInfo,
  type UnusableFile
} from "../../Domain/machine/MemoryReading.ts"
import { type KernelFile, kernelFiles } from "../files/KernelFile.ts"
import { errorCode } from "../files/SystemError.ts"

/**
 * How much memory there is: the machine's, within the limits of the daemon's own cgroup and all above it that can be
 * seen. A reading is synchronous: the kernel makes these files up at once, and a read takes it a few microseconds.
 */
export class MemoryReader extends Context.Tag("MemoryReader")<
  MemoryReader,
  {
    /** Reads at once. */
    readonly read: () => MemorySight
  }
>() {}

/** Where the kernel's files are; tests have their own. */
export interface KernelRoots {
  readonly proc: string
  readonly sys: string
}

/**
 * How often the daemon's groups and their limits are looked up anew: it may have been moved, or a limit may have been
 * changed. Not at every reading: the lookup waits for whoever makes or removes a group, which takes long when memory is
 * short.
 */
const lookupIntervalNanos = 60_000_000_000n

/** A file of a group that stays away is not looked for at every reading. */
const shortestLookupNanos = 1_000_000_000n

/** A group's folder is gone: the daemon was moved, and the group removed. ENODEV is what an open file then says. */
const goneCodes: ReadonlySet<string | undefined> = new Set(["ENODEV", "ENOENT"])

const limitsUnknown =
  "Limits of cgroups are not seen: only those known already count, and the machine's memory"

/** A group and its open files. */
interface OpenGroup extends Omit<CgroupUsage, "limitBytes"> {
  readonly close: () => void
}

const make = ({ proc, sys }: KernelRoots) => {
  const open = kernelFiles()
  const memInfo = open(`${proc}/meminfo`)
  let stall: KernelFile | undefined
  let groups: ReadonlyArray<OpenGroup & { readonly limitBytes: number }> = []
  let lookedUpNanos: bigint | undefined
  /** Found out at the lookup, and true until the next one. */
  let lasting: ReadonlyArray<UnusableFile> = []
  let unusable: Array<UnusableFile> = []
  let isGroupGone = false

  /** What a file says; undefined, with a note, where it cannot be read or says something else. */
  const valueOf = <A>(
    file: Pick<KernelFile, "path" | "text">,
    parse: (text: string) => A | undefined,
    consequence: string
  ): A | undefined => {
    try {
      const value = parse(file.text())
      if (value !== undefined) return value
      unusable.push({ path: file.path, reason: "it does not say what it should", consequence })
    } catch (cause) {
      if (!(cause instanceof Error) || errorCode(cause) === undefined) throw cause
      unusable.push({ path: file.path, reason: cause.message, consequence })
      isGroupGone ||= goneCodes.has(errorCode(cause))
    }
    return undefined
  }

  const whole = (path: string) => ({ path, text: () => fs.readFileSync(path, "latin1") })

  /**
   * The folders of the daemon's group and of those above it, where its limits can be seen. Undefined when that cannot be
   * known at the moment.
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
    // A path may exist below none of them, as in a container that sees the names of the machine outside: then what is
    // mounted is the group.
    const folders = chains.find(([folder]) => folder !== undefined && fs.existsSync(folder))
    return { version: own.version, folders: folders ?? chains[0]?.slice(-1) ?? [] }
  }

  /** Before Linux 5.11 a group of version 1 may count for itself alone: then it limits only its own members. */
  const limitsThoseBelow = (folder: string): boolean => {
    try {
      return fs.readFileSync(`${folder}/memory.use_hierarchy`, "latin1").trim() !== "0"
    } catch {
      // It is missing in version 2, where a group always does.
      return true
    }
  }

  /**
   * The lowest limit of a group. The hierarchy's root has none, nor one of version 2 whose memory is not accounted. What
   * cannot be read now is what it was.
   */
  const limitOf = (folder: string, version: CgroupVersion): number => {
    const known = groups.find((group) => group.folder === folder)?.limitBytes ?? Number.POSITIVE_INFINITY
    const limits = cgroupFiles[version].limits
      .map((name) => `${folder}/${name}`)
      .filter((path) => fs.existsSync(path))
      .map((path) => valueOf(whole(path), parseLimit, "This limit of a cgroup may not count") ?? known)
    return Math.min(...limits)
  }

  const openGroup = (folder: string, version: CgroupVersion): OpenGroup => {
    const usage = open(`${folder}/${cgroupFiles[version].usage}`)
    const stat = open(`${folder}/${cgroupFiles[version].stat}`)
    const withoutCache = "What this cgroup has used does not count, because page cache cannot be told from it"
    return {
      folder,
      usedBytes: () => valueOf(usage, parseAmount, "What this cgroup has used does not count"),
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
    const totals = stall && valueOf(stall, parsePressure, "Memory pressure is not known")
    if (totals === undefined) {
      // A kernel without it will not have it in a moment either.
      stall?.close()
      stall = undefined
      lasting = [...unusable]
    }
    return totals
  }

  const sight = (): MemorySight => {
    unusable = [...lasting]
    const totals = stallTotals()
    const machine = valueOf(memInfo, parseMemInfo, "Until it can be read, memory is not watched")
    isGroupGone = false
    if (machine === undefined) return { reading: undefined, unusable }
    return { reading: effectiveMemory(machine, groups, totals), unusable }
  }

  return {
    close: () => {
      for (const file of [...groups, memInfo]) file.close()
      stall?.close()
    },
    read: (nowNanos: bigint): MemorySight => {
      const sinceNanos = lookedUpNanos === undefined ? lookupIntervalNanos : nowNanos - lookedUpNanos
      if (sinceNanos >= lookupIntervalNanos) lookUp(nowNanos)
      const found = sight()
      if (!isGroupGone || sinceNanos < shortestLookupNanos) return found
      lookUp(nowNanos)
      return sight()
    }
  }
}

/** Reads below other roots, as tests do. */
export const layerAt = (roots: KernelRoots): Layer.Layer<MemoryReader> =>
  Layer.scoped(
    MemoryReader,
    Effect.gen(function* () {
      const clock = yield* Effect.clock
      const { read } = yield* Effect.acquireRelease(
        Effect.sync(() => make(roots)),
        ({ close }) => Effect.sync(close)
      )
      return { read: () => read(clock.unsafeCurrentTimeNanos()) }
    })
  )

export const layer: Layer.Layer<MemoryReader> = layerAt({ proc: "/proc", sys: "/sys" })
