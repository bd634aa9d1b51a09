/** What the processes in a cgroup hold together, each page counted once. */
export interface GroupMemory {
  readonly residentBytes: number
  readonly swapBytes: number
}

/** Before Linux 5.18 there is no `kernel`, only some of its parts. */
const kernelParts = ["kernel_stack", "pagetables", "percpu", "slab_reclaimable", "slab_unreclaimable"]

/**
 * What a group of version 2 holds in memory, in bytes, from its `memory.stat`: what the kernel cannot take back without
 * swap. Neither page cache, nor names and inodes of files it has seen (`slab_reclaimable`): who searches through a large
 * folder holds nothing. Undefined when the file does not tell.
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
 * Where the kernel steps in should a worker grow faster than the daemon looks: a quarter above its limit, so that a
 * worker which reaches that is ended by the daemon and told why.
 */
export const backstopBytes = (limitBytes: number): number => Math.ceil(limitBytes * 1.25)
