import * as fs from "node:fs"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ProcessEntry } from "../../Domain/machine/ProcessTree.ts"
import { turnOfTheEventLoop } from "../concurrency/EventLoop.ts"
import { errorCode } from "../files/SystemError.ts"

/**
 * /proc could not be read for a reason of ours (no descriptor free, no memory), so that what it would have said is
 * not known. It must never be taken for "there is no such process".
 */
export class ProcUnreadable extends Data.TaggedError("ProcUnreadable")<{ readonly reason: string }> {
  override get message() {
    return `/proc cannot be read at the moment: ${this.reason}`
  }
}

/**
 * What the kernel says about processes. Reads are synchronous: the kernel makes these files up at once,
 * and a read through the thread pool costs two to six times as much. Long scans yield to the event loop.
 */
export class ProcFs extends Context.Tag("ProcFs")<
  ProcFs,
  {
    /** All processes, those that vanish meanwhile left out. */
    readonly processes: Effect.Effect<ReadonlyArray<ProcessEntry>, ProcUnreadable>
    /** One process, or undefined when it is gone. */
    readonly process: (pid: number) => Effect.Effect<ProcessEntry | undefined, ProcUnreadable>
    /** Those of `pids` whose environment has an entry that begins with `prefix`; unreadable ones do not count. */
    readonly carrying: (
      pids: ReadonlyArray<number>,
      prefix: string
    ) => Effect.Effect<ReadonlySet<number>, ProcUnreadable>
    /** The soft open-files limit of a process; undefined when it cannot be read. */
    readonly openFilesSoftLimit: (pid: number) => Effect.Effect<string | undefined>
  }
>() {}

const yieldEvery = 200

const usualPageBytes = 4096

/** The key of the page size in the auxiliary vector. https://man7.org/linux/man-pages/man3/getauxval.3.html */
const atPageSize = 6n

/** The size of a page, in which `stat` counts: 64 KiB on some ARM and POWER machines. */
export const pageBytesOf = (auxiliaryVector: Buffer | undefined): number => {
  for (let at = 0; auxiliaryVector !== undefined && at + 16 <= auxiliaryVector.length; at += 16) {
    if (auxiliaryVector.readBigUInt64LE(at) === atPageSize) {
      return Number(auxiliaryVector.readBigUInt64LE(at + 8))
    }
  }
  return usualPageBytes
}

/**
 * `pid (comm) state ppid pgrp session ... starttime vsize rss ...`: comm may hold anything, also `)`, so the fields
 * are counted from the last one. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
export const parseStat = (text: string, pageBytes = usualPageBytes): ProcessEntry | undefined => {
  const close = text.lastIndexOf(")")
  const fields = text.slice(close + 2).split(" ")
  const [state, parentPid, group, session] = fields
  const entry = {
    pid: Number.parseInt(text, 10),
    state: state ?? "",
    parentPid: Number(parentPid),
    group: Number(group),
    session: Number(session),
    startTicks: Number(fields[19]),
    residentBytes: Number(fields[21]) * pageBytes
  }
  return close > 0 && Number.isSafeInteger(entry.pid) && Number.isSafeInteger(entry.startTicks)
    ? entry
    : undefined
}

/** Errors that speak of the process: it is gone, or another user's. */
const aboutTheProcess: ReadonlySet<string | undefined> = new Set(["ENOENT", "ESRCH", "EACCES", "EPERM"])

const attempt = <A>(read: () => A): Effect.Effect<A, ProcUnreadable> =>
  Effect.try({ try: read, catch: (cause) => new ProcUnreadable({ reason: String(cause) }) })

const make = (root: string) => {
  let buffer = Buffer.allocUnsafe(64 * 1024)

  /** The whole file in the shared buffer, valid until the next call; undefined when the process is not ours to see. */
  const read = (path: string): Buffer | undefined => {
    let descriptor: number | undefined
    try {
      descriptor = fs.openSync(path, "r")
      let length = 0
      for (;;) {
        const count = fs.readSync(descriptor, buffer, length, buffer.length - length, null)
        if (count === 0) return buffer.subarray(0, length)
        length += count
        if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)])
      }
    } catch (cause) {
      if (aboutTheProcess.has(errorCode(cause))) return undefined
      throw cause
    } finally {
      if (descriptor !== undefined) fs.closeSync(descriptor)
    }
  }

  const pageBytes = pageBytesOf(read(`${root}/self/auxv`))

  const readEntry = (pid: number | string): ProcessEntry | undefined => {
    const text = read(`${root}/${pid}/stat`)
    return text === undefined ? undefined : parseStat(text.toString("latin1"), pageBytes)
  }

  const carries = (pid: number, prefix: Buffer): boolean => {
    const environ = read(`${root}/${pid}/environ`)
    if (environ === undefined) return false
    for (let at = environ.indexOf(prefix); at !== -1; at = environ.indexOf(prefix, at + 1)) {
      if (at === 0 || environ[at - 1] === 0) return true
    }
    return false
  }

  return ProcFs.of({
    processes: Effect.gen(function* () {
      const entries: Array<ProcessEntry> = []
      const pids = yield* attempt(() => fs.readdirSync(root).filter((name) => /^[0-9]+$/.test(name)))
      for (let from = 0; from < pids.length; from += yieldEvery) {
        if (from > 0) yield* turnOfTheEventLoop
        const some = pids.slice(from, from + yieldEvery)
        entries.push(...(yield* attempt(() => some.map(readEntry).filter((entry) => entry !== undefined))))
      }
      return entries
    }),
    process: (pid) => attempt(() => readEntry(pid)),
    carrying: Effect.fnUntraced(function* (pids, prefix) {
      const found = new Set<number>()
      const needle = Buffer.from(prefix)
      for (let from = 0; from < pids.length; from += yieldEvery) {
        if (from > 0) yield* turnOfTheEventLoop
        const some = pids.slice(from, from + yieldEvery)
        for (const pid of yield* attempt(() => some.filter((pid) => carries(pid, needle)))) found.add(pid)
      }
      return found
    }),
    openFilesSoftLimit: (pid) =>
      attempt(() =>
        read(`${root}/${pid}/limits`)
          ?.toString("latin1")
          .match(/^Max open files +(\S+)/m)
          ?.at(1)
      ).pipe(Effect.orElseSucceed(() => undefined))
  })
}

/** Reads below another root, as tests do. */
export const layerAt = (root: string): Layer.Layer<ProcFs> => Layer.sync(ProcFs, () => make(root))

export const layer: Layer.Layer<ProcFs> = layerAt("/proc")
