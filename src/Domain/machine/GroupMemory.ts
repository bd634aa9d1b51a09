/** The memory of all processes in a cgroup, each page counted once. */
export interface GroupMemory {
  readonly residentBytes: number
  readonly swapBytes: number
}

/** Linux before 5.18 has no `kernel`, only parts of it. */
const kernelParts = ["kernel_stack", "pagetables", "percpu", "slab_reclaimable", "slab_unreclaimable"]

/**
 * The bytes that a version 2 group holds in memory and that the kernel cannot reclaim without swap, from `memory.stat`.
 * Page cache does not count, nor do cached names and inodes (`slab_reclaimable`): a worker that has searched a large
 * folder holds nothing. Undefined if the file lacks the figures.
 * https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
 */
export const parseHeld = (text: string): number | undefined => {
  const amounts = new Map<string | undefined, number>()
  for (const [, name, amount] of text.matchAll(/^(\w+) ([0-9]+)$/gm)) amounts.set(name, Number(amount))
  const of = (name: string) => amounts.get(name) ?? 0
  if (!amounts.has("anon") || !amounts.has("shmem")) return undefined
  const kernel = amounts.get("kernel") ?? kernelParts.reduce((sum, part) => sum + of(part), 0)
  const held = of("anon") + of("shmem") + Math.max(0, kernel - of("slab_reclaimable"))
  return Number.isSafeInteger(held) ? held : undefined
}

/**
 * The `memory.max` of a worker with a limit: a quarter above it, so that usually the daemon restarts the worker, with a
 * reason, before the kernel kills a process of it.
 */
export const backstopBytes = (limitBytes: number): number => Math.ceil(limitBytes * 1.25)
