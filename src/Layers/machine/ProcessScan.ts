import * as fs from "node:fs"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { strayed, withParentsUnknown } from "../../Domain/machine/ProcessDescent.ts"
import type { ProcessDetails, ProcessFacts } from "../../Domain/machine/ProcessFacts.ts"
import { variable } from "../../Domain/WorkerId.ts"
import { PlainTimer, turnOfTheEventLoop } from "../concurrency/EventLoop.ts"
import { ProcUnreadable, pageBytesOf } from "./ProcFs.ts"
import { makeProcReader } from "./ProcReader.ts"
import { makeRememberedProcesses } from "./RememberedProcesses.ts"

/** What a scan is for. */
export interface ScanAim {
  /** Of the daemon's home. */
  readonly homeId: string
  /** From this size on a process is looked at closely. */
  readonly largeBytes: number
  /** How much swap the machine has in use. Only when it is more than `largeBytes` is each process's share read. */
  readonly swapInUseBytes: number
}

/**
 * Looks at all processes to find out whom memory could be had from. It reads one short file of each, and more only of
 * the large ones and of those that have lost their parents; in pieces, so that the daemon answers meanwhile.
 */
export class ProcessScan extends Context.Tag("ProcessScan")<
  ProcessScan,
  {
    /** What `use` is given holds until it returns: the next look, which waits for that, writes over it. */
    readonly look: <A, E, R>(
      aim: ScanAim,
      use: (facts: ProcessFacts) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | ProcUnreadable, R>
  }
>() {}

/** How many processes are read before others have a turn: two milliseconds' worth of work. */
const yieldEvery = 200

/** Of what is read in several files. */
const yieldEveryDetailed = 50

const nine = "9".charCodeAt(0)

const markEntry = Buffer.from(`${variable}=`)

/** The value of the worker's id in an environment. */
const markIn = (environ: Buffer): string | undefined => {
  for (let at = environ.indexOf(markEntry); at !== -1; at = environ.indexOf(markEntry, at + 1)) {
    if (at > 0 && environ[at - 1] !== 0) continue
    const from = at + markEntry.length
    const end = environ.indexOf(0, from)
    return environ.toString("utf8", from, end === -1 ? environ.length : end)
  }
  return undefined
}

/** What `/proc/<pid>/status` adds. https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
const fieldOf = (status: string, name: string): string | undefined =>
  new RegExp(`^${name}:\\t(.*)$`, "m").exec(status)?.at(1)

const swapIn = (status: string): number => Number.parseInt(fieldOf(status, "VmSwap") ?? "0", 10) * 1024

/** Stands for an environment that is not the daemon's to read. */
const noEnvironment = Buffer.from("\0")

/** In this time only a storm of forks gives many pids to other processes. */
const rely = Duration.seconds(30)
const relyNanos = Duration.unsafeToNanos(rely)

/** So many files at most are kept open between two looks, each of which costs the kernel 5 KiB. */
const mostOpenEver = 512

/** An eighth of the files that may be open: the daemon needs the others. */
const mostOpenIn = (limits: string | undefined): number => {
  const limit = /^Max open files +(\d+|unlimited)/m.exec(limits ?? "")?.[1]
  if (limit === undefined) return 0
  return limit === "unlimited" ? mostOpenEver : Math.min(mostOpenEver, Math.floor(Number(limit) / 8))
}

interface Surroundings {
  readonly root: string
  readonly selfPid: number
  readonly uid: number
}

const make = Effect.fnUntraced(function* ({ root, selfPid, uid }: Surroundings) {
  const reader = makeProcReader()
  const pageBytes = pageBytesOf(reader.whole(`${root}/self/auxv`))

  /** Does something for each, in turns with everybody else. */
  const inTurns = Effect.fnUntraced(function* <A>(
    all: ReadonlyArray<A>,
    atOnce: number,
    act: (one: A) => void
  ) {
    for (let from = 0; from < all.length; from += atOnce) {
      if (from > 0) yield* turnOfTheEventLoop
      yield* Effect.try({
        try: () => {
          for (const one of all.slice(from, from + atOnce)) act(one)
        },
        catch: (cause) => new ProcUnreadable({ reason: String(cause) })
      })
    }
  })

  const pids = Effect.try({
    // Only a process has a name that begins with a digit.
    try: () => fs.readdirSync(root).filter((name) => name.charCodeAt(0) <= nine),
    catch: (cause) => new ProcUnreadable({ reason: String(cause) })
  })

  const statusOf = (pid: number): string | undefined =>
    reader.whole(`${root}/${pid}/status`)?.toString("latin1")

  const isOwnUser = (status: string): boolean => {
    const ids = fieldOf(status, "Uid")?.split("\t") ?? []
    return ids.length === 4 && ids.every((id) => Number(id) === uid)
  }

  const detailsOf = (pid: number): ProcessDetails | undefined => {
    const status = statusOf(pid)
    const argv = reader.whole(`${root}/${pid}/cmdline`)?.toString("utf8")
    if (status === undefined || argv === undefined) return undefined
    return {
      comm: fieldOf(status, "Name") ?? "",
      executable: reader.link(`${root}/${pid}/exe`),
      argv: argv === "" ? [] : argv.replace(/\0$/, "").split("\0"),
      isOwnUser: isOwnUser(status)
    }
  }

  const mostOpen = mostOpenIn(reader.whole(`${root}/self/limits`)?.toString("latin1"))
  const timer = yield* PlainTimer
  let callOffClosing = () => {}
  const remembered = yield* Effect.acquireRelease(
    Effect.sync(() => makeRememberedProcesses(root, reader, pageBytes, mostOpen)),
    ({ close }) =>
      Effect.sync(() => {
        callOffClosing()
        close()
      })
  )
  const { isMarkKnown, mark, marks, processes, renewLine } = remembered
  const parentsUnknown = remembered.following((selfPid: number) => withParentsUnknown({ processes, selfPid }))
  const strays = remembered.following((homeId: string) => strayed({ selfPid, homeId, processes, marks }))
  let lookedNanos = 0n

  const lookOnce = Effect.fnUntraced(function* ({ homeId, largeBytes, swapInUseBytes }: ScanAim) {
    const nowNanos = yield* Clock.currentTimeNanos
    remembered.begin(nowNanos - lookedNanos > relyNanos, largeBytes)
    lookedNanos = nowNanos
    callOffClosing()
    if (mostOpen > 0) callOffClosing = timer.after(Duration.toMillis(rely), remembered.close)
    yield* inTurns(yield* pids, yieldEvery, (name) => remembered.read(Number(name)))
    remembered.mend()
    renewLine(selfPid)
    if (swapInUseBytes > largeBytes) {
      const programs = [...processes.values()].filter(({ isKernelThread }) => !isKernelThread)
      yield* inTurns(programs, yieldEvery, ({ pid }) => {
        const status = statusOf(pid)
        if (status !== undefined) remembered.swapped(pid, swapIn(status))
      })
    }
    const large = remembered.large()
    yield* inTurns(large, yieldEvery, ({ pid }) => renewLine(pid))
    const readMarks = () =>
      inTurns(
        [...large, ...parentsUnknown(selfPid)].filter(({ pid }) => !isMarkKnown(pid)),
        yieldEvery,
        ({ pid }) => {
          const environ =
            reader.owner(`${root}/${pid}`) === uid ? reader.whole(`${root}/${pid}/environ`) : noEnvironment
          // While a process becomes another program it has no environment for a moment.
          if (environ !== undefined && environ.length > 0) mark(pid, markIn(environ) ?? null)
        }
      )
    yield* readMarks()
    yield* inTurns(strays(homeId), yieldEvery, ({ pid }) => renewLine(pid))
    // Whoever turned out to be another process than the one that was remembered.
    yield* readMarks()
    const details = new Map<number, ProcessDetails>()
    yield* inTurns([...new Set([...large, ...strays(homeId)])], yieldEveryDetailed, ({ pid }) => {
      const found = detailsOf(pid)
      if (found !== undefined) details.set(pid, found)
    })
    return { selfPid, homeId, processes, marks, details }
  })

  const turn = yield* Effect.makeSemaphore(1)
  return ProcessScan.of({
    look: (aim, use) => turn.withPermits(1)(Effect.flatMap(lookOnce(aim), use))
  })
})

/** Looks below another root, as somebody else, as tests do. */
export const layerOf = (surroundings: Surroundings): Layer.Layer<ProcessScan> =>
  Layer.scoped(ProcessScan, make(surroundings))

export const layer: Layer.Layer<ProcessScan> = Layer.suspend(() =>
  // The system on which there are no users has no /proc either.
  layerOf({ root: "/proc", selfPid: process.pid, uid: process.getuid?.() ?? 0 })
)
