import type { PressureTotals } from "./MemoryPressure.ts"
import { fieldBytes } from "./ProcessStatus.ts"

/** The memory of the machine as a whole, in bytes. */
export interface MachineMemory {
  /** MemAvailable: what a new program could use without swapping. */
  readonly availableBytes: number
  readonly totalBytes: number
  readonly swapTotalBytes: number
  readonly swapFreeBytes: number
}

/** The memory that is available to the daemon and its workers: the machine's, within the limits of their cgroups. */
export interface MemoryReading extends MachineMemory {
  /** The folder of the cgroup that leaves less than the machine has available; undefined without such a cgroup. */
  readonly boundBy: string | undefined
  /** PSI; undefined where the kernel does not provide it. */
  readonly stall: PressureTotals | undefined
}

/** A file that a reading had to do without. */
export interface UnusableFile {
  readonly path: string
  readonly reason: string
  /** The effect on the reading, in one sentence. */
  readonly consequence: string
}

/** The result of reading memory. */
export interface MemoryReadResult {
  /** Undefined while memory cannot be read. */
  readonly reading: MemoryReading | undefined
  readonly unusable: ReadonlyArray<UnusableFile>
}

/**
 * A cgroup around the daemon. Its usage is read only where it can matter, because that takes longer than all other reads.
 * Undefined while it cannot be read.
 */
export interface CgroupUsage {
  readonly folder: string
  /** Infinity without a limit. */
  readonly limitBytes: number
  readonly usedBytes: () => number | undefined
  /** The part that the kernel reclaims when it is needed, page cache above all. */
  readonly reclaimableBytes: () => number | undefined
}

const totalLine = /^MemTotal: +([0-9]+) kB$/m
const freeLine = /^MemFree: +([0-9]+) kB$/m
const availableLine = /^MemAvailable: +([0-9]+) kB$/m
const swapTotalLine = /^SwapTotal: +([0-9]+) kB$/m
const swapFreeLine = /^SwapFree: +([0-9]+) kB$/m

/**
 * Parses `/proc/meminfo`; undefined for any other text. Kernels before 3.14 have no MemAvailable: MemFree is a safe
 * substitute. https://man7.org/linux/man-pages/man5/proc_meminfo.5.html
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
 * The memory that a group leaves its members, at most `enough`. Unknown usage counts as free: an unreadable file is no
 * shortage.
 */
const headroom = (group: CgroupUsage, enough: number): number => {
  const usedBytes = group.usedBytes()
  if (usedBytes === undefined || group.limitBytes - usedBytes >= enough) {
    return Math.min(group.limitBytes, enough)
  }
  const reclaimableBytes = group.reclaimableBytes() ?? usedBytes
  return Math.max(0, group.limitBytes - Math.max(0, usedBytes - reclaimableBytes))
}

/** The memory within the limits of all `groups`. Page cache of a group does not count as used. */
export const effectiveMemory = (
  machine: MachineMemory,
  groups: ReadonlyArray<CgroupUsage>,
  stall?: PressureTotals
): MemoryReading => {
  let { availableBytes, totalBytes } = machine
  let boundBy: string | undefined
  for (const group of groups) {
    // A limit above the machine's memory never applies.
    if (group.limitBytes >= machine.totalBytes) continue
    totalBytes = Math.min(totalBytes, group.limitBytes)
    const leftBytes = headroom(group, availableBytes)
    if (leftBytes >= availableBytes) continue
    availableBytes = leftBytes
    boundBy = group.folder
  }
  const { swapFreeBytes, swapTotalBytes } = machine
  // Not spread: that would cost as much as everything else here.
  return { availableBytes, totalBytes, swapTotalBytes, swapFreeBytes, boundBy, stall }
}
