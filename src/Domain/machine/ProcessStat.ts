import type { ScannedProcess } from "./ProcessFacts.ts"

const space = 0x20
const closingBracket = 0x29
const minus = 0x2d
const zero = 0x30

/** PF_KTHREAD among the flags. https://github.com/torvalds/linux/blob/master/include/linux/sched.h */
const kernelThreadFlag = 0x00200000

/**
 * Reads the first `length` bytes of `/proc/<pid>/stat`; undefined when they are none. It makes no text of them: a scan
 * of thousands of processes spends its time in the kernel then. `pid (comm) state ppid pgrp session tty tpgid flags
 * ... starttime vsize rss ...`: comm may hold anything, also `)`, so the fields are counted from the last one.
 * https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
export const scannedProcess = (
  bytes: Uint8Array,
  length: number,
  pid: number,
  pageBytes: number
): ScannedProcess | undefined => {
  let at = length - 1
  while (at >= 0 && bytes[at] !== closingBracket) at--
  if (at < 0 || at + 4 > length) return undefined
  const state = String.fromCharCode(bytes[at + 2] ?? 0)
  at += 4
  let parentPid = 0
  let group = 0
  let session = 0
  let flags = 0
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
      case 19:
        startTicks = value
        break
      case 21:
        return {
          pid,
          state,
          parentPid,
          group,
          session,
          startTicks,
          residentBytes: value * pageBytes,
          isKernelThread: Math.floor(flags / kernelThreadFlag) % 2 === 1,
          swapBytes: 0
        }
    }
  }
  return undefined
}

/** The second number of `/proc/<pid>/statm`: pages in memory. */
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
