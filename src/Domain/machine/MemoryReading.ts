import type { PressureTotals } from "./MemoryPressure.ts"

/** What the machine as a whole has, in bytes. */
export interface MachineMemory {
  /** MemAvailable: what a new program could take without swapping. */
  readonly availableBytes: number
  readonly totalBytes: number
  readonly swapTotalBytes: number
  readonly swapFreeBytes: number
}

/** What the daemon and its workers can count on: the machine's memory, as far as cgroups let them have it. */
export interface MemoryReading extends MachineMemory {
  /** The folder of the cgroup that leaves less than the machine has available; undefined where the machine binds. */
  readonly boundBy: string | undefined
  /** How long processes have waited for memory; undefined where the kernel does not count it. */
  readonly stall: PressureTotals | undefined
}

/** A file that could not be used for a reading. */
export interface UnusableFile {
  readonly path: string
  readonly reason: string
  /** What the reading lacks without it, in one sentence. */
  readonly consequence: string
}

/** One reading and what it lacks. */
export interface MemorySight {
  /** Undefined: how much memory there is cannot be known at the moment, which is not the same as none. */
  readonly reading: MemoryReading | undefined
  readonly unusable: ReadonlyArray<UnusableFile>
}

/**
 * A cgroup around the daemon. How much it has used is asked only where that can matter: it takes the kernel longer to
 * tell than all the rest. Undefined is what cannot be known for now.
 */
export interface CgroupUsage {
  readonly folder: string
  /** Infinity without a limit. */
  readonly limitBytes: number
  readonly usedBytes: () => number | undefined
  /** The part of it that is given back when it is needed, page cache above all. */
  readonly reclaimableBytes: () => number | undefined
}

const fieldBytes = (text: string, line: RegExp): number | undefined => {
  const bytes = Number(line.exec(text)?.at(1)) * 1024
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

const totalLine = /^MemTotal: +([0-9]+) kB$/m
const freeLine = /^MemFree: +([0-9]+) kB$/m
const availableLine = /^MemAvailable: +([0-9]+) kB$/m
const swapTotalLine = /^SwapTotal: +([0-9]+) kB$/m
const swapFreeLine = /^SwapFree: +([0-9]+) kB$/m

/**
 * Reads `/proc/meminfo`; undefined when it is not one. Kernels before 3.14 have no MemAvailable: MemFree is the
 * cautious stand-in. https://man7.org/linux/man-pages/man5/proc_meminfo.5.html
 */
export const parseMemInfo = (text: string): MachineMemory | undefined => {
  const totalBytes = fieldBytes(text, totalLine)
  const availableBytes = fieldBytes(text, availableLine) ?? fieldBytes(text, freeLine)
  if (totalBytes === undefined || availableBytes === undefined) return undefined
  return {
    availableBytes: Math.min(availableBytes, totalBytes),
    totalBytes,
    swapTotalBytes: fieldBytes(text, swapTotalLine) ?? 0,
    swapFreeBytes: fieldBytes(text, swapFreeLine) ?? 0
  }
}

/**
 * What a group still lets its members take, unless that is `enough` anyway. What is not known counts as free: a file
 * that cannot be read is no shortage.
 */
const headroom = (group: CgroupUsage, enough: number): number => {
  const usedBytes = group.usedBytes()
  if (usedBytes === undefined || group.limitBytes - usedBytes >= enough) {
    return Math.min(group.limitBytes, enough)
  }
  const reclaimableBytes = group.reclaimableBytes() ?? usedBytes
  return Math.max(0, group.limitBytes - Math.max(0, usedBytes - reclaimableBytes))
}

/** The machine's memory within the limits of all `groups`. Page cache of a group does not count as used. */
export const effectiveMemory = (
  machine: MachineMemory,
  groups: ReadonlyArray<CgroupUsage>,
  stall?: PressureTotals
): MemoryReading => {
  let { availableBytes, totalBytes } = machine
  let boundBy: string | undefined
  for (const group of groups) {
    // Its members cannot take more memory than there is, so such a limit is never met.
    if (group.limitBytes >= machine.totalBytes) continue
    totalBytes = Math.min(totalBytes, group.limitBytes)
    const leftBytes = headroom(group, availableBytes)
    if (leftBytes >= availableBytes) continue
    availableBytes = leftBytes
    boundBy = group.folder
  }
  const { swapFreeBytes, swapTotalBytes } = machine
  // Written out: to spread an object costs as much as all the rest of this.
  return { availableBytes, totalBytes, swapTotalBytes, swapFreeBytes, boundBy, stall }
}
