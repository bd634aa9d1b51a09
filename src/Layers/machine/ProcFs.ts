import { readlinkSync } from "node:fs"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isAlive, type ProcessEntry, programIn } from "../../Domain/machine/ProcessEntry.ts"
import { parseProportionalBytes, parseSwapBytes } from "../../Domain/machine/ProcessStatus.ts"
import type { Walk } from "../concurrency/CoalescedRead.ts"
import { errorCode, messageOf } from "../files/SystemError.ts"
import { pidsLastNanos, readingEldersOnce } from "./ElderProcesses.ts"
import { entryAt, makeProcReader, type ProcReader } from "./ProcReader.ts"

/**
 * /proc could not be read for a reason of the daemon's own (no free descriptor, no memory). It never means that a
 * process does not exist.
 */
export class ProcUnreadable extends Data.TaggedError("ProcUnreadable")<{ readonly reason: string }> {
  override get message() {
    return `/proc cannot be read at the moment: ${this.reason}`
  }
}

/** /proc does not show the processes among which this one lives. A daemon would take living processes for gone. */
class ProcForeign extends Data.TaggedError("ProcForeign")<{ readonly shown: string }> {
  override get message() {
    return (
      `/proc does not show the processes of this PID namespace: ${this.shown}. A daemon could neither find nor end its ` +
      "workers. Mount it there (mount -t proc proc /proc), or give it to the container (bwrap --proc /proc, unshare --mount-proc)."
    )
  }
}

/** Fails unless the /proc that is mounted shows this process as the kernel knows it. */
export const checkProc: Effect.Effect<void, ProcForeign> = Effect.suspend(() => {
  try {
    const shown = readlinkSync("/proc/self")
    return shown === String(process.pid)
      ? Effect.void
      : new ProcForeign({ shown: `this process has pid ${process.pid}, and /proc shows it as pid ${shown}` })
  } catch (cause) {
    return new ProcForeign({ shown: `/proc/self cannot be read (${messageOf(cause)})` })
  }
})

type Amounts = Effect.Effect<ReadonlyMap<number, number>, ProcUnreadable>

/** The process table. Long reads yield to the event loop. Results omit processes that are gone or unreadable. */
export class ProcFs extends Context.Tag("ProcFs")<
  ProcFs,
  {
    /** For code that needs many files in one event-loop turn, or acts in the turn in which it reads. Throws. */
    readonly reader: ProcReader
    /** All processes. */
    readonly processes: Effect.Effect<ReadonlyArray<ProcessEntry>, ProcUnreadable>
    /** One process; undefined when it is gone. */
    readonly process: (pid: number) => Effect.Effect<ProcessEntry | undefined, ProcUnreadable>
    /** Those of `pids` whose environment has an entry that begins with `prefix`. An exec is waited for, for a quarter second. */
    readonly carrying: (
      pids: ReadonlyArray<number>,
      prefix: string
    ) => Effect.Effect<ReadonlySet<number>, ProcUnreadable>
    /**
     * `processes` and `carrying` as plain work, for code that combines them. A process in `known`, a table of some
     * milliseconds ago, is not read again, and stays if it has exited since: no pid is used again so soon. Those that
     * began before this one are read once where only what this one has started matters, `ofOwn`.
     */
    readonly walks: {
      readonly processes: (
        known?: ReadonlyMap<number, ProcessEntry>,
        ofOwn?: boolean
      ) => Walk<ReadonlyMap<number, ProcessEntry>>
      readonly carrying: (pids: ReadonlyArray<number>, prefix: string) => Walk<ReadonlySet<number>>
    }
    /** Bytes in swap, by pid. */
    readonly swapBytes: (pids: ReadonlyArray<number>) => Amounts
    /**
     * Proportional memory and swap in bytes, by pid: a page that several processes share is divided among them. The
     * kernel walks all pages of a process for it, which takes milliseconds a GiB. Empty before Linux 4.14.
     */
    readonly proportionalBytes: (pids: ReadonlyArray<number>) => Amounts
  }
>() {}

/** What a read of /proc has thrown: a refusal of the system, or else a bug. */
export const unreadable = (cause: unknown): Effect.Effect<never, ProcUnreadable> => {
  if (cause instanceof ProcUnreadable) return cause
  return errorCode(cause) === undefined ? Effect.die(cause) : new ProcUnreadable({ reason: String(cause) })
}

const attempt = <A>(read: () => A): Effect.Effect<A, ProcUnreadable> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(read())
    } catch (cause) {
      return unreadable(cause)
    }
  })

/** Two milliseconds of work. */
export const yieldEvery = 200

/** Runs a walk to its end: in one piece, unless it is long enough to yield. */
export const walked = <A>(walk: () => Walk<A>): Effect.Effect<A, ProcUnreadable> =>
  Effect.suspend(() => {
    const steps = walk()
    /** The result; undefined where the walk yields. */
    const proceed = (): Effect.Effect<A, ProcUnreadable> | undefined => {
      try {
        const { done, value } = steps.next()
        return done === true ? Effect.succeed(value) : undefined
      } catch (cause) {
        return unreadable(cause)
      }
    }
    return (
      proceed() ??
      Effect.async<A, ProcUnreadable>((resume) => {
        let immediate = setImmediate(function turn() {
          const result = proceed()
          if (result === undefined) immediate = setImmediate(turn)
          else resume(result)
        })
        return Effect.sync(() => clearImmediate(immediate))
      })
    )
  })

/** Calls `act`, which reads /proc, for each item, and yields after every `atOnce` of them. */
function* each<A>(items: Iterable<A>, atOnce: number, act: (item: A) => void): Walk<void> {
  let count = 0
  for (const item of items) {
    if (count > 0 && count % atOnce === 0) yield
    count++
    act(item)
  }
}

/** The same as an effect. */
export const inTurns = <A>(items: ReadonlyArray<A>, atOnce: number, act: (item: A) => void) =>
  walked(() => each(items, atOnce, act))

/** The pids of all processes. */
export const allPids = ({ pids }: ProcReader): Effect.Effect<ReadonlyArray<number>, ProcUnreadable> =>
  attempt(pids)

/** The longest exec seen on a machine with ten busy processes a core took 32 ms. */
const execNanos = 250_000_000n

/**
 * Whether a process whose environment was empty is in an exec. During one it has neither environment nor arguments for a
 * moment, and would pass for a stranger. Kernel threads and zombies have none.
 */
const isInExec = (reader: ProcReader, pid: number): boolean => {
  const program = () => programIn(reader.text(pid, "stat") ?? "")
  const before = program()
  // The exec may have ended since, and another one begun: a program that stays the same has no environment.
  if (before !== undefined && reader.environ(pid)?.length === 0 && program() === before) return false
  const entry = reader.entry(pid)
  return entry !== undefined && !entry.isKernelThread && isAlive(entry)
}

/** `selfPid`: a list of processes without it is that of another namespace, and shows nobody as gone. */
export const walksOf = (reader: ProcReader, selfPid: number | undefined): ProcFs["Type"]["walks"] => {
  const elderOnce =
    selfPid === undefined ? reader.entry : readingEldersOnce(reader, selfPid, pidsLastNanos(reader.pidMax()))
  return {
    *processes(known, ofOwn = false) {
      const pids = reader.pids()
      const unread = known === undefined ? pids : pids.filter((pid) => !known.has(pid))
      if (known !== undefined && unread.length === 0) return known
      const entries = new Map(known)
      const read = ofOwn ? elderOnce : reader.entry
      yield* each(unread, yieldEvery, (pid) => {
        const entry = read(pid)
        if (entry !== undefined) entries.set(pid, entry)
      })
      if (selfPid !== undefined && !entries.has(selfPid))
        throw new ProcUnreadable({ reason: `it does not show this process (pid ${selfPid})` })
      return entries
    },
    *carrying(pids, prefix) {
      const found = new Set<number>()
      const wanted = Buffer.from(prefix)
      let unread = pids
      const untilNanos = process.hrtime.bigint() + execNanos
      for (let isLast = false; ; yield) {
        const inExec: Array<number> = []
        yield* each(unread, yieldEvery, (pid) => {
          const environ = reader.environ(pid)
          if (environ === undefined) return
          if (entryAt(environ, wanted) !== -1) found.add(pid)
          else if (environ.length === 0 && isInExec(reader, pid)) inExec.push(pid)
        })
        if (inExec.length === 0 || isLast) return found
        unread = inExec
        isLast = process.hrtime.bigint() > untilNanos
      }
    }
  }
}

const make = (root: string, selfPid: number | undefined) => {
  const reader = makeProcReader(root)

  const amounts = (file: string, parse: (text: string) => number | undefined, atOnce: number) =>
    Effect.fnUntraced(function* (pids: ReadonlyArray<number>) {
      const found = new Map<number, number>()
      yield* inTurns(pids, atOnce, (pid) => {
        const text = reader.text(pid, file)
        const amount = text === undefined ? undefined : parse(text)
        if (amount !== undefined) found.set(pid, amount)
      })
      return found
    })

  const walks = walksOf(reader, selfPid)

  return ProcFs.of({
    reader,
    walks,
    processes: Effect.map(walked(walks.processes), (entries) => [...entries.values()]),
    process: (pid) => attempt(() => reader.entry(pid)),
    carrying: (pids, prefix) => walked(() => walks.carrying(pids, prefix)),
    swapBytes: amounts("status", parseSwapBytes, yieldEvery),
    // A single large process takes long enough.
    proportionalBytes: amounts("smaps_rollup", parseProportionalBytes, 1)
  })
}

/** Reads below another root, for tests. */
export const layerAt = (root: string): Layer.Layer<ProcFs> => Layer.sync(ProcFs, () => make(root, undefined))

export const layer: Layer.Layer<ProcFs> = Layer.sync(ProcFs, () => make("/proc", process.pid))
