/**
 * Where control groups limit memory, and how they say it.
 * Version 2: https://docs.kernel.org/admin-guide/cgroup-v2.html#memory
 * Version 1: https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
 */
export type CgroupVersion = 1 | 2

/** A process's group in the hierarchy that accounts memory. */
interface MemoryCgroup {
  readonly version: CgroupVersion
  /** From the root of the hierarchy, or of the process's cgroup namespace: `/system.slice/x.service`. */
  readonly path: string
}

/** A place where a hierarchy can be seen. */
interface CgroupMount {
  /** The group that is mounted there; `/` is the hierarchy's root. */
  readonly root: string
  readonly mountPoint: string
}

/** The names of the files in a group's folder. The lowest of the limits is the one that holds. */
export const cgroupFiles = {
  // Above `high` the kernel slows a group down until it stands still: what is above cannot be counted on.
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
 * The group of a process in version 2, by its `/proc/<pid>/cgroup`, also where memory is accounted by version 1.
 * Undefined where that has no such line.
 */
export const unifiedCgroupOf = (text: string): string | undefined =>
  groupLines(text).find(({ controllers, number }) => number === "0" && controllers === "")?.path

/**
 * Reads `/proc/self/cgroup`: one line for each hierarchy, `4:cpu,memory:/path` for version 1, `0::/path` for version 2.
 * Where both are mounted, memory is accounted by version 1 if it is named there. Undefined: nothing accounts it.
 * https://man7.org/linux/man-pages/man7/cgroups.7.html
 */
export const memoryCgroupOf = (text: string): MemoryCgroup | undefined => {
  const first = groupLines(text).find(({ controllers }) => controllers.split(",").includes("memory"))
  if (first !== undefined) return { version: 1, path: first.path }
  const path = unifiedCgroupOf(text)
  return path === undefined ? undefined : { version: 2, path }
}

/** Blanks and the like are written as three octal digits. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

/**
 * Finds in `/proc/self/mountinfo` where the hierarchy that accounts memory is mounted, or would, in version 2:
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
 * The folders of a group and of all its ancestors that can be seen in a mount, the group's own first, the mount's last.
 * A group that is not below the mount's root, as in a container that has not its own cgroup namespace, has only that.
 */
export const groupFolders = ({ mountPoint, root }: CgroupMount, path: string): ReadonlyArray<string> => {
  const top = mountPoint.replace(/\/+$/, "")
  const below = isAbove(root, path) ? path.slice(root === "/" ? 0 : root.length) : ""
  const names = below.split("/").filter((name) => name !== "")
  // A process outside of the namespace's root has `..` in its path: such a folder would be somewhere else.
  if (names.includes("..")) return [top]
  return names.map((_, at) => `${top}/${names.slice(0, names.length - at).join("/")}`).concat(top)
}

const alone = /^[0-9]+\n?$/

/** An amount in bytes, alone in a file; undefined when it is none. */
export const parseAmount = (text: string): number | undefined => {
  const bytes = alone.test(text) ? Number(text) : undefined
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/**
 * A limit in bytes. Without one version 2 says `max`, and version 1 the largest multiple of a page that fits into 63
 * bits; both become Infinity.
 */
export const parseLimit = (text: string): number | undefined => {
  if (text === "max\n" || text === "max") return Number.POSITIVE_INFINITY
  return alone.test(text) ? (parseAmount(text) ?? Number.POSITIVE_INFINITY) : undefined
}

const statLine = {
  2: /^(inactive_file|active_file|slab_reclaimable) ([0-9]+)$/gm,
  // Those with `total_` include the groups below, as the usage does. Version 1 does not say what slab can be given back.
  1: /^total_(inactive_file|active_file) ([0-9]+)$/gm
} as const

/**
 * How much of a group's usage the kernel takes back as soon as it is needed, in bytes, from its `memory.stat`: pages of
 * files, and its own caches. Undefined when the pages of files are not told.
 */
export const parseReclaimable = (text: string, version: CgroupVersion): number | undefined => {
  const amounts = new Map<string | undefined, number>()
  for (const [, name, amount] of text.matchAll(statLine[version])) amounts.set(name, Number(amount))
  if (!amounts.has("inactive_file") || !amounts.has("active_file")) return undefined
  const total = [...amounts.values()].reduce((sum, amount) => sum + amount, 0)
  return Number.isFinite(total) ? total : undefined
}
