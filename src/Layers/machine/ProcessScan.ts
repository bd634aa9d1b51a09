import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { strayed, withParentsUnknown } from "../../Domain/machine/ProcessDescent.ts"
import type { ProcessDetails, ProcessFacts } from "../../Domain/machine/ProcessFacts.ts"
import { parseStatus } from "../../Domain/machine/ProcessStatus.ts"
import { variable } from "../../Domain/WorkerId.ts"
import { makeMutex } from "../concurrency/Mutex.ts"
import { PlainTimer } from "../concurrency/PlainTimer.ts"
import { makeProcessCache } from "./ProcessCache.ts"
import { allPids, inTurns, ProcFs, type ProcUnreadable, yieldEvery } from "./ProcFs.ts"
import { entryAt } from "./ProcReader.ts"

/** The home a scan works for, and the size from which it reads a process in detail. */
export interface ScanAim {
  /** The id of the daemon's home. */
  readonly homeId: string
  /** Processes of this size and above are read in detail. */
  readonly largeBytes: number
  /** Swap in use on the machine. Only above `largeBytes` is the swap of each process read. */
  readonly swapInUseBytes: number
}

/**
 * Scans all processes to find out which of them could give memory back. A scan reads one short file of each process,
 * and more only of large ones and of those that have strayed from a worker.
 */
export class ProcessScan extends Context.Tag("ProcessScan")<
  ProcessScan,
  {
    /** `use` must not keep the facts: the next scan, which waits for `use` to return, overwrites them. */
    readonly scan: <A, E, R>(
      aim: ScanAim,
      use: (facts: ProcessFacts) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | ProcUnreadable, R>
  }
>() {}

/** For processes of which several files are read. */
const yieldEveryDetailed = 50

const markPrefix = Buffer.from(`${variable}=`)

/** The worker id in an environment; null without one. */
const markIn = (environ: Buffer): string | null => {
  const at = entryAt(environ, markPrefix)
  if (at === -1) return null
  const end = environ.indexOf(0, at)
  return environ.toString("utf8", at + markPrefix.length, end === -1 ? environ.length : end)
}

/** Within this time only a storm of forks makes the kernel reuse many pids. */
const rely = Duration.seconds(30)
const relyNanos = Duration.unsafeToNanos(rely)

/** Each file that stays open costs the kernel 5 KiB, and saves three quarters of a process's share of a scan. */
const mostOpenEver = 1024

/** An eighth of the files that may be open: the daemon needs the others. */
const mostOpenIn = (limit = "0"): number =>
  limit === "unlimited" ? mostOpenEver : Math.min(mostOpenEver, Math.floor(Number(limit) / 8))

interface Self {
  readonly selfPid: number
  readonly uid: number
}

const make = Effect.fnUntraced(function* ({ selfPid, uid }: Self) {
  const { reader, swapBytes } = yield* ProcFs

  const detailsOf = (pid: number): ProcessDetails | undefined => {
    const text = reader.text(pid, "status")
    const argv = reader.argv(pid)
    if (text === undefined || argv === undefined) return undefined
    const { name, uids } = parseStatus(text)
    return {
      comm: name,
      executable: reader.executable(pid),
      argv,
      isOwnUser: uids.length === 4 && uids.every((id) => id === uid)
    }
  }

  const mostOpen = mostOpenIn(reader.openFilesLimit("self"))
  const timer = yield* PlainTimer
  let cancelClosing = () => {}
  const cache = yield* Effect.acquireRelease(
    Effect.sync(() => makeProcessCache(reader, mostOpen)),
    ({ close }) =>
      Effect.sync(() => {
        cancelClosing()
        close()
      })
  )
  const { marks, processes, renewLine } = cache
  const parentsUnknown = cache.derived((self: number) => withParentsUnknown({ processes, selfPid: self }))
  const strays = cache.derived((homeId: string) => strayed({ selfPid, homeId, processes, marks }))
  let scannedNanos = 0n

  const readMark = (pid: number): void => {
    // The environment of another user's process stays closed, and no worker of this home is another user's.
    if (reader.owner(pid) !== uid) return cache.mark(pid, null)
    const environ = reader.environ(pid)
    // During exec the environment is empty for a moment.
    if (environ !== undefined && environ.length > 0) cache.mark(pid, markIn(environ))
  }

  const scanOnce = Effect.fnUntraced(function* ({ homeId, largeBytes, swapInUseBytes }: ScanAim) {
    const nowNanos = yield* Clock.currentTimeNanos
    const isLongAgo = nowNanos - scannedNanos > relyNanos
    cache.begin(isLongAgo, largeBytes)
    scannedNanos = nowNanos
    cancelClosing()
    // Only a scan that relies on the one before keeps files open.
    if (mostOpen > 0 && !isLongAgo) cancelClosing = timer.after(Duration.toMillis(rely), cache.close)
    yield* inTurns(yield* allPids(reader), yieldEvery, cache.read)
    cache.repair()
    renewLine(selfPid)
    if (swapInUseBytes > largeBytes) {
      const programs = [...processes.values()].filter(({ isKernelThread }) => !isKernelThread)
      for (const [pid, bytes] of yield* swapBytes(programs.map(({ pid }) => pid))) cache.addSwap(pid, bytes)
    }
    const large = cache.large()
    yield* inTurns(large, yieldEvery, ({ pid }) => renewLine(pid))
    const readMarks = () => {
      const unknown = [...large, ...parentsUnknown(selfPid)].filter(({ pid }) => !cache.isMarkKnown(pid))
      return inTurns(unknown, yieldEvery, ({ pid }) => readMark(pid))
    }
    yield* readMarks()
    yield* inTurns(strays(homeId), yieldEvery, ({ pid }) => renewLine(pid))
    // A renewed pid may turn out to be another process, whose mark is not known yet.
    yield* readMarks()
    const details = new Map<number, ProcessDetails>()
    yield* inTurns([...new Set([...large, ...strays(homeId)])], yieldEveryDetailed, ({ pid }) => {
      const found = detailsOf(pid)
      if (found !== undefined) details.set(pid, found)
    })
    return { selfPid, homeId, processes, marks, details }
  })

  const inTurn = makeMutex()
  return ProcessScan.of({
    scan: (aim, use) => inTurn(Effect.flatMap(scanOnce(aim), use))
  })
})

/** As another process and user, for tests. */
export const layerOf = (self: Self): Layer.Layer<ProcessScan, never, ProcFs> =>
  Layer.scoped(ProcessScan, make(self))

export const layer: Layer.Layer<ProcessScan, never, ProcFs> = layerOf({
  selfPid: process.pid,
  // The system without users, Windows, has no /proc either.
  uid: process.getuid?.() ?? 0
})
