/** The largest pid of a 64-bit kernel. */
export const maxPid = 4_194_304

/** Names one process for good: the kernel reuses a pid, but not together with the same start time. */
export interface ProcessIdentity {
  readonly pid: number
  /** When the process started, in clock ticks since boot. */
  readonly startTicks: number
}

/** One process as `/proc/<pid>/stat` describes it. Threads have no entry. */
export interface ProcessEntry extends ProcessIdentity {
  readonly parentPid: number
  readonly group: number
  readonly session: number
  /** The kernel's letter: R, S, D, T, Z (zombie), X (dead) ... If the first thread has exited, that of a living one. */
  readonly state: string
  readonly isKernelThread: boolean
  /** CPU time used until `stat` was read. */
  readonly cpuMs: number
  /** Resident memory, shared pages included. */
  readonly residentBytes: number
  /** `stat` does not contain it: 0 unless a scan has read it, which it does only while much swap is in use. */
  readonly swapBytes: number
}

/** A zombie is gone for our purposes: it holds no memory and ignores signals. */
export const isAlive = ({ state }: Pick<ProcessEntry, "state">): boolean => state !== "Z" && state !== "X"

/** Whether `now`, an entry with the same pid, is that very process, and alive. */
export const isStill = (
  { startTicks }: Pick<ProcessIdentity, "startTicks">,
  now: ProcessEntry | undefined
): now is ProcessEntry => now !== undefined && now.startTicks === startTicks && isAlive(now)

/** Resident memory and swap, shared pages included. */
export const heldBytes = ({
  residentBytes,
  swapBytes
}: Pick<ProcessEntry, "residentBytes" | "swapBytes">): number => residentBytes + swapBytes

const space = 0x20
const closingBracket = 0x29
const minus = 0x2d
const zero = 0x30

/** PF_KTHREAD among the flags. https://github.com/torvalds/linux/blob/master/include/linux/sched.h */
const kernelThreadFlag = 0x00200000

/** The kernel reports CPU time to programs at 100 ticks a second on every architecture that Node runs on. */
const millisPerTick = 10

/**
 * Parses the first `length` bytes of `/proc/<pid>/stat`; undefined when they are no process. It works on bytes because
 * strings would be most of the garbage of a scan. `pid (comm) state ppid pgrp session tty tpgid flags ... utime stime
 * ... starttime vsize rss ...`: comm may contain anything, also `)`, so fields are counted from the last bracket.
 * https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
export const parseStat = (
  bytes: Uint8Array,
  length: number,
  pid: number,
  pageBytes: number
): ProcessEntry | undefined => {
  let at = length - 1
  while (at >= 0 && bytes[at] !== closingBracket) at--
  if (at < 0 || at + 4 > length) return undefined
  const state = String.fromCharCode(bytes[at + 2] ?? 0)
  at += 4
  let parentPid = 0
  let group = 0
  let session = 0
  let flags = 0
  let cpuTicks = 0
  let startTicks = 0
  for (let field = 1; at < length; field++) {
    const isNegative = bytes[at] === minus
    if (isNegative) at++
    let value = 0
    for (let digit = bytes[at] ?? space; digit > space && at < length; digit = bytes[++at] ?? space) {
      value = value * 10 + (digit - zero)
    }
    at++
    if (isNegative) value = -value
    switch (field) {
      case 1:
        parentPid = value
        break
      case 2:
        group = value
        break
      case 3:
        session = value
        break
      case 6:
        flags = value
        break
      case 11:
      case 12:
        cpuTicks += value
        break
      case 19:
        startTicks = value
        break
      case 21:
        return {
          pid,
          startTicks,
          parentPid,
          group,
          session,
          state,
          isKernelThread: Math.floor(flags / kernelThreadFlag) % 2 === 1,
          cpuMs: cpuTicks * millisPerTick,
          residentBytes: value * pageBytes,
          swapBytes: 0
        }
    }
  }
  return undefined
}

/**
 * The number of threads in the first `length` bytes of `/proc/<pid>/stat`. The kernel shows Z once the first thread of a
 * process has exited, although the others run; a zombie has one.
 */
export const threadCount = (bytes: Uint8Array, length: number): number => {
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, length))
  return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[17])
}

/**
 * Tells the program that a process runs from the next one, by the text of `/proc/<pid>/stat`: `endcode` and `startstack`.
 * Undefined while exec sets it up: the kernel notes the end of its code last, after arguments and environment.
 */
export const programIn = (stat: string): string | undefined => {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  const [endCode, startStack] = fields.slice(24, 26)
  return Number(endCode) > 0 ? `${endCode} ${startStack}` : undefined
}

/** Parses the second number of `/proc/<pid>/statm`: resident pages. */
export const residentPages = (bytes: Uint8Array, length: number): number => {
  let at = 0
  while (at < length && bytes[at] !== space) at++
  let pages = 0
  for (at++; at < length; at++) {
    const digit = (bytes[at] ?? 0) - zero
    if (digit < 0 || digit > 9) break
    pages = pages * 10 + digit
  }
  return pages
}
