import * as fs from "node:fs"
import { errorCode } from "../files/SystemError.ts"

/** Errors that speak of the process: it is gone, or another user's. */
const aboutTheProcess: ReadonlySet<string | undefined> = new Set(["ENOENT", "ESRCH", "EACCES", "EPERM"])

/** Undefined stands for what cannot be read for a reason of the process's. */
const undefinedOrThrow = (cause: unknown): undefined => {
  if (!aboutTheProcess.has(errorCode(cause))) throw cause
  return undefined
}

const ofProcess = <A>(read: () => A): A | undefined => {
  try {
    return read()
  } catch (cause) {
    return undefinedOrThrow(cause)
  }
}

/**
 * Reads files below /proc into one buffer that is used again and again. What cannot be read because the process is
 * gone or another user's is undefined; every other error is thrown, for it says nothing about the process.
 */
export const makeProcReader = () => {
  const buffer = Buffer.allocUnsafeSlow(64 * 1024)

  const readShort = (path: string): number => {
    const descriptor = fs.openSync(path, "r")
    try {
      return fs.readSync(descriptor, buffer, 0, buffer.length, null)
    } finally {
      fs.closeSync(descriptor)
    }
  }

  const readAgain = (descriptor: number): number => fs.readSync(descriptor, buffer, 0, buffer.length, 0)

  const readWhole = (path: string): Buffer => {
    // One that is too small for once is not replaced: a daemon would keep the largest environment it ever saw.
    let target = buffer
    let length = 0
    const descriptor = fs.openSync(path, "r")
    try {
      for (;;) {
        const count = fs.readSync(descriptor, target, length, target.length - length, null)
        if (count === 0) return target.subarray(0, length)
        length += count
        if (length === target.length) target = Buffer.concat([target, Buffer.allocUnsafeSlow(length)])
      }
    } finally {
      fs.closeSync(descriptor)
    }
  }

  return {
    /** Where `short` puts what it reads. */
    bytes: buffer,
    /** How many bytes a file has that the kernel gives in one piece, as it does those of a few lines. */
    short: (path: string): number | undefined => {
      // Spelled out: it is called thousands of times in a row, and a closure each time would be most of the garbage.
      try {
        return readShort(path)
      } catch (cause) {
        return undefinedOrThrow(cause)
      }
    },
    /** Opens a file for `again`; it must be closed. */
    open: (path: string): number | undefined => ofProcess(() => fs.openSync(path, "r")),
    /** As `short`, of a file that stays open: a fifth of the time. Of a process that is gone it reads nothing. */
    again: (descriptor: number): number | undefined => {
      try {
        return readAgain(descriptor)
      } catch (cause) {
        return undefinedOrThrow(cause)
      }
    },
    close: (descriptor: number): void => fs.closeSync(descriptor),
    /** A whole file of any size, valid until the next call of either. */
    whole: (path: string): Buffer | undefined => ofProcess(() => readWhole(path)),
    link: (path: string): string | undefined => ofProcess(() => fs.readlinkSync(path)),
    /** The user that a process is shown as; root for one that may not be looked into. */
    owner: (path: string): number | undefined =>
      ofProcess(() => fs.statSync(path, { throwIfNoEntry: false })?.uid)
  }
}

export type ProcReader = ReturnType<typeof makeProcReader>
