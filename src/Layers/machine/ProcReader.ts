import * as fs from "node:fs"
import {
  isAlive,
  type ProcessEntry,
  parseStat,
  residentPages,
  threadCount
} from "../../Domain/machine/ProcessEntry.ts"
import { parseOpenFilesLimit } from "../../Domain/machine/ProcessStatus.ts"
import { errorCode } from "../files/SystemError.ts"

const usualPageBytes = 4096

/** The key of the page size in the auxiliary vector. https://man7.org/linux/man-pages/man3/getauxval.3.html */
const atPageSize = 6n

/** The page size, the unit of memory in `stat` and `statm`: 64 KiB on some ARM and POWER machines. */
const pageBytesOf = (auxiliaryVector: Buffer | undefined): number => {
  for (let at = 0; auxiliaryVector !== undefined && at + 16 <= auxiliaryVector.length; at += 16) {
    if (auxiliaryVector.readBigUInt64LE(at) === atPageSize) {
      return Number(auxiliaryVector.readBigUInt64LE(at + 8))
    }
  }
  return usualPageBytes
}

/** Errors about the process itself: it is gone, or belongs to another user. */
const processErrors: ReadonlySet<string | undefined> = new Set(["ENOENT", "ESRCH", "EACCES", "EPERM"])

const undefinedOrThrow = (cause: unknown): undefined => {
  if (!processErrors.has(errorCode(cause))) throw cause
  return undefined
}

const nine = "9".charCodeAt(0)

/** Where the entry of an environment that begins with `prefix` starts; -1 without one. */
export const entryAt = (environ: Buffer, prefix: Buffer): number => {
  let at = environ.indexOf(prefix)
  while (at > 0 && environ[at - 1] !== 0) at = environ.indexOf(prefix, at + 1)
  return at
}

/**
 * Reads /proc synchronously, because the kernel generates these files at once and the thread pool would cost two to six
 * times as much. Everything goes through one buffer that is reused. Undefined means that the process is gone or
 * belongs to another user; every other error, such as EMFILE, is thrown, because it says nothing about the process.
 */
export const makeProcReader = (root: string) => {
  const buffer = Buffer.allocUnsafeSlow(64 * 1024)

  const readShort = (path: string): number => {
    const descriptor = fs.openSync(path, "r")
    try {
      return fs.readSync(descriptor, buffer, 0, buffer.length, null)
    } finally {
      fs.closeSync(descriptor)
    }
  }

  /** Reads a file that the kernel returns in one piece into the buffer; returns its length. */
  const short = (path: string): number | undefined => {
    // A scan calls this thousands of times: a closure for each call would be most of its garbage.
    try {
      return readShort(path)
    } catch (cause) {
      return undefinedOrThrow(cause)
    }
  }

  const readWhole = (path: string): Buffer => {
    // The shared buffer does not grow: the daemon would keep the size of the largest environment it ever read.
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

  const attempt = <A>(read: () => A): A | undefined => {
    try {
      return read()
    } catch (cause) {
      return undefinedOrThrow(cause)
    }
  }

  /** A file of any size; valid until the next read. */
  const whole = (path: string): Buffer | undefined => attempt(() => readWhole(path))

  const pageBytes = pageBytesOf(whole(`${root}/self/auxv`))

  const stat = (folder: string, pid: number): ProcessEntry | undefined => {
    const length = short(`${folder}/stat`)
    return length === undefined ? undefined : parseStat(buffer, length, pid, pageBytes)
  }

  /** A living thread of a process whose first thread has exited; undefined for a zombie. */
  const livingThread = (
    pid: number
  ): { readonly folder: string; readonly entry: ProcessEntry } | undefined => {
    for (const thread of attempt(() => fs.readdirSync(`${root}/${pid}/task`)) ?? []) {
      const folder = `${root}/${pid}/task/${thread}`
      const entry = stat(folder, pid)
      if (entry !== undefined && isAlive(entry)) return { folder, entry }
    }
    return undefined
  }

  const entryOf = (pid: number): ProcessEntry | undefined => {
    const entry = stat(`${root}/${pid}`, pid)
    if (entry?.state !== "Z") return entry
    const length = short(`${root}/${pid}/stat`)
    if (length === undefined || !(threadCount(buffer, length) > 1)) return entry
    const living = livingThread(pid)?.entry
    return living === undefined
      ? entry
      : { ...entry, state: living.state, residentBytes: living.residentBytes }
  }

  /** The first thread takes memory, environment and program with it, and the other threads still show them. */
  const ofAnyThread = <A>(
    pid: number,
    read: (folder: string) => A | undefined,
    isLost: (found: A) => boolean
  ): A | undefined => {
    const found = read(`${root}/${pid}`)
    if (found !== undefined && !isLost(found)) return found
    if (stat(`${root}/${pid}`, pid)?.state !== "Z") return found
    const living = livingThread(pid)
    return living === undefined ? found : read(living.folder)
  }

  const bytesIn = (length: number): number => residentPages(buffer, length) * pageBytes

  const readOpen = (descriptor: number): number => fs.readSync(descriptor, buffer, 0, buffer.length, 0)

  return {
    /** The pids of all processes. */
    pids: (): ReadonlyArray<number> => {
      const pids: Array<number> = []
      for (const name of fs.readdirSync(root)) if (name.charCodeAt(0) <= nine) pids.push(Number(name))
      return pids
    },
    entry: entryOf,
    /** The directory of a process, of which a later process with its pid has another one. */
    folder: (pid: number): { readonly ino: number; readonly ctimeMs: number } | undefined =>
      attempt(() => fs.statSync(`${root}/${pid}`, { throwIfNoEntry: false })),
    /** `status` and other files of text. */
    text: (pid: number, file: string): string | undefined =>
      ofAnyThread(
        pid,
        (folder) => whole(`${folder}/${file}`)?.toString("latin1"),
        (found) => found === ""
      ),
    /** The soft limit of open files: a number, or `unlimited`. */
    openFilesLimit: (pid: number | "self"): string | undefined =>
      parseOpenFilesLimit(whole(`${root}/${pid}/limits`)?.toString("latin1") ?? ""),
    argv: (pid: number): ReadonlyArray<string> | undefined => {
      const joined = ofAnyThread(
        pid,
        (folder) => whole(`${folder}/cmdline`)?.toString("utf8"),
        (text) => text === ""
      )
      return joined === "" ? [] : joined?.replace(/\0$/, "").split("\0")
    },
    executable: (pid: number): string | undefined =>
      ofAnyThread(
        pid,
        (folder) => attempt(() => fs.readlinkSync(`${folder}/exe`)),
        () => false
      ),
    /** The environment; valid until the next read. */
    environ: (pid: number): Buffer | undefined =>
      ofAnyThread(
        pid,
        (folder) => whole(`${folder}/environ`),
        (environ) => environ.length === 0
      ),
    /** Names the boot of the machine; empty where /proc does not. */
    bootId: (): string => whole(`${root}/sys/kernel/random/boot_id`)?.toString("latin1").trim() ?? "",
    /** The number of pids of this machine; 0 where /proc does not tell. */
    pidMax: (): number => Number(whole(`${root}/sys/kernel/pid_max`)?.toString("latin1") ?? 0),
    /** The user id that /proc shows; root for a process that cannot be inspected. */
    owner: (pid: number): number | undefined =>
      attempt(() => fs.statSync(`${root}/${pid}`, { throwIfNoEntry: false })?.uid),
    /** Resident memory, for a scan: `statm` costs a third of `stat`, and a fifth of that when it stays open. */
    statm: {
      path: (pid: number): string => `${root}/${pid}/statm`,
      bytes: (path: string): number | undefined => {
        const length = short(path)
        return length === undefined ? undefined : bytesIn(length)
      },
      open: (path: string): number | undefined => attempt(() => fs.openSync(path, "r")),
      bytesOpen: (descriptor: number): number | undefined => {
        try {
          return bytesIn(readOpen(descriptor))
        } catch (cause) {
          return undefinedOrThrow(cause)
        }
      },
      close: (descriptor: number): void => fs.closeSync(descriptor)
    }
  }
}

export type ProcReader = ReturnType<typeof makeProcReader>
