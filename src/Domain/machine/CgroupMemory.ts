/**
 * The files in which control groups limit memory.
 * Version 2: https://docs.kernel.org/admin-guide/cgroup-v2.html#memory
 * Version 1: https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
 */
export type CgroupVersion = 1 | 2

/** The cgroup of a process in the hierarchy that accounts memory. */
interface MemoryCgroup {
  readonly version: CgroupVersion
  /** From the root of the hierarchy, or of the process's cgroup namespace: `/system.slice/x.service`. */
  readonly path: string
}

/** A mount of a hierarchy. */
interface CgroupMount {
  /** The mounted group; `/` is the root of the hierarchy. */
  readonly root: string
  readonly mountPoint: string
}

/** The names of the files of a group. The lowest limit applies. */
export const cgroupFiles = {
  // Above `high` the kernel throttles a group until it stands still, so it counts as a limit.
  2: { limits: ["memory.max", "memory.high"], usage: "memory.current", stat: "memory.stat" },
  1: { limits: ["memory.limit_in_bytes"], usage: "memory.usage_in_bytes", stat: "memory.stat" }
} as const satisfies Record<
  CgroupVersion,
  { readonly limits: ReadonlyArray<string>; readonly usage: string; readonly stat: string }
>

/** The lines of `/proc/<pid>/cgroup`. */
const groupLines = (text: string) =>
  text.split("\n").flatMap((line) => {
    const [, number, controllers, path] = /^([0-9]+):([^:]*):(\/.*)$/.exec(line) ?? []
    return controllers === undefined || path === undefined ? [] : [{ number, controllers, path }]
  })

/**
 * The version 2 group in `/proc/<pid>/cgroup`, also where version 1 accounts memory; undefined without one.
 */
export const unifiedCgroupOf = (text: string): string | undefined =>
  groupLines(text).find(({ controllers, number }) => number === "0" && controllers === "")?.path

/**
 * Parses `/proc/self/cgroup`: one line for each hierarchy, `4:cpu,memory:/path` for version 1, `0::/path` for version 2.
 * If both are mounted, version 1 accounts memory if it lists `memory`. Undefined if nothing accounts memory.
 * https://man7.org/linux/man-pages/man7/cgroups.7.html
 */
export const memoryCgroupOf = (text: string): MemoryCgroup | undefined => {
  const first = groupLines(text).find(({ controllers }) => controllers.split(",").includes("memory"))
  if (first !== undefined) return { version: 1, path: first.path }
  const path = unifiedCgroupOf(text)
  return path === undefined ? undefined : { version: 2, path }
}

/** mountinfo escapes spaces as three octal digits. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

/**
 * Finds the mounts of the hierarchy that accounts memory in `/proc/self/mountinfo`:
 *
 *     35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
 *
 * The fourth field is the root of the mount, the fifth its place; after the dash are type, source and options.
 * https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
 */
export const memoryMounts = (text: string, version: CgroupVersion): ReadonlyArray<CgroupMount> =>
  text.split("\n").flatMap((line) => {
    const [ofMount, ofSystem] = line.split(" - ", 2)
    const [, , , root, mountPoint] = (ofMount ?? "").split(" ")
    const [type, , options] = (ofSystem ?? "").split(" ")
    if (root === undefined || mountPoint === undefined || !mountPoint.startsWith("/")) return []
    const isIt =
      version === 2 ? type === "cgroup2" : type === "cgroup" && options?.split(",").includes("memory")
    return isIt === true ? [{ root: unescaped(root), mountPoint: unescaped(mountPoint) }] : []
  })

const isAbove = (root: string, path: string): boolean =>
  root === "/" || path === root || path.startsWith(`${root}/`)

/**
 * The folders of a group and its ancestors that are visible in a mount, from the group up to the mount point. For a group
 * outside of the mount's root, as in a container without a cgroup namespace of its own, only the mount point.
 */
export const groupFolders = ({ mountPoint, root }: CgroupMount, path: string): ReadonlyArray<string> => {
  const top = mountPoint.replace(/\/+$/, "")
  const below = isAbove(root, path) ? path.slice(root === "/" ? 0 : root.length) : ""
  const names = below.split("/").filter((name) => name !== "")
  // The path of a process outside of the namespace's root contains `..`, and would lead elsewhere.
  if (names.includes("..")) return [top]
  return names.map((_, at) => `${top}/${names.slice(0, names.length - at).join("/")}`).concat(top)
}

const alone = /^[0-9]+\n?$/

/** Parses a file that contains bytes and nothing else; undefined otherwise. */
export const parseAmount = (text: string): number | undefined => {
  const bytes = alone.test(text) ? Number(text) : undefined
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/**
 * Parses a limit in bytes. No limit is `max` in version 2, and the largest multiple of a page in 63 bits in version 1; both
 * become Infinity.
 */
export const parseLimit = (text: string): number | undefined => {
  if (text === "max\n" || text === "max") return Number.POSITIVE_INFINITY
  return alone.test(text) ? (parseAmount(text) ?? Number.POSITIVE_INFINITY) : undefined
}

const statLine = {
  2: /^(inactive_file|active_file|slab_reclaimable) ([0-9]+)$/gm,
  // `total_` includes the groups below, as the usage does. Version 1 does not report reclaimable slab.
  1: /^total_(inactive_file|active_file) ([0-9]+)$/gm
} as const

/**
 * The bytes of a group's usage that the kernel reclaims when they are needed, from `memory.stat`: page cache and
 * reclaimable slab. Undefined without figures of the page cache.
 */
export const parseReclaimable = (text: string, version: CgroupVersion): number | undefined => {
  const amounts = new Map<string | undefined, number>()
  for (const [, name, amount] of text.matchAll(statLine[version])) amounts.set(name, Number(amount))
  if (!amounts.has("inactive_file") || !amounts.has("active_file")) return undefined
  const total = [...amounts.values()].reduce((sum, amount) => sum + amount, 0)
  return Number.isFinite(total) ? total : undefined
}
