import * as fs from "node:fs"
import { join } from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { parseAmount } from "../../Domain/machine/CgroupMemory.ts"
import type { WorkerExit } from "../../Domain/tree/WorkerExit.ts"
import { type OomKill, type OomSample, oomKillOf } from "../../Domain/verdict/OomKill.ts"
import {
  beginWatch,
  evidenceOf,
  type KillCounts,
  nextWatch,
  type OomKillWatch,
  withSample
} from "../../Domain/verdict/OomKillWatch.ts"
import { kernelFiles } from "../files/KernelFile.ts"
import { errorCode } from "../files/SystemError.ts"
import { MemoryMonitor } from "../memory/MemoryMonitor.ts"
import { LiveWorkers } from "./LiveWorkers.ts"

/** The out-of-memory kills of one worker. */
interface WorkerOomKills {
  /** Starts to read the counters regularly. Call it once the leader runs. */
  readonly begin: (pid: number) => Effect.Effect<void>
  /**
   * Returns the kill that the counters prove or make probable. Call it after the leader's exit: the kernel increments
   * the counters before it sends the signal.
   */
  readonly verdict: (leader: WorkerExit, wasAsked: boolean) => Effect.Effect<OomKill | undefined>
  /** Ends the watch. */
  readonly end: Effect.Effect<void>
}

/**
 * Recognises that the kernel killed processes of a worker because memory ran out. Nothing here fails: a counter that
 * cannot be read is no evidence.
 */
export class KernelOomKills extends Context.Tag("KernelOomKills")<
  KernelOomKills,
  {
    /** Watches until its `end`. `folder` is the worker's own cgroup (version 2), where it has one. */
    readonly watch: (folder: string | undefined) => Effect.Effect<WorkerOomKills>
  }
>() {}

/**
 * Separates a kill from what happened before and after it. The counters are read with a sample of the memory, because
 * another timer would be another wake-up of an idle machine.
 */
const lookIntervalMs = 4000

/** The same line in `memory.events` and, since Linux 4.13, in `/proc/vmstat`. */
const killsLine = /^oom_kill ([0-9]+)$/m

/** The cgroup reached its own limit, and the kernel could reclaim nothing. */
const limitLine = /^oom [1-9]/m

const parseKills = (text: string): number | undefined => {
  const kills = Number(killsLine.exec(text)?.at(1))
  return Number.isSafeInteger(kills) ? kills : undefined
}

const ifReadable = <A>(read: () => A): A | undefined => {
  try {
    return read()
  } catch (cause) {
    if (errorCode(cause) === undefined) throw cause
    return undefined
  }
}

/** `memory.events` counts the groups below too, which a worker may make. */
const groupCounter = (folder: string) => {
  const file = kernelFiles()(join(folder, "memory.events"))
  return {
    folder,
    close: file.close,
    kills: () => ifReadable(() => parseKills(file.text())),
    reachedLimitBytes: () =>
      ifReadable(() =>
        limitLine.test(file.text())
          ? parseAmount(fs.readFileSync(join(folder, "memory.max"), "latin1"))
          : undefined
      )
  }
}

interface Watched {
  readonly pid: number
  readonly counts: () => KillCounts
  watch: OomKillWatch
}

const make = (proc: string) =>
  Effect.gen(function* () {
    const monitor = yield* MemoryMonitor
    const live = yield* LiveWorkers
    const clock = yield* Effect.clock
    const workers = new Set<Watched>()
    let lookedAtMs = 0
    const vmstat = yield* Effect.acquireRelease(
      Effect.sync(() => kernelFiles()(join(proc, "vmstat"))),
      ({ close }) => Effect.sync(close)
    )

    const sampleOf = (pid: number, memory: OomSample["memory"]): OomSample => ({
      memory,
      tree: live.of(pid)?.memory
    })

    const readCounters = (worker: Watched, memory: OomSample["memory"]) => {
      worker.watch = nextWatch(worker.watch, worker.counts(), sampleOf(worker.pid, memory))
    }

    const watch = (folder: string | undefined) =>
      Effect.sync(() => {
        let worker: Watched | undefined
        const group = folder === undefined ? undefined : groupCounter(folder)
        const counts = (): KillCounts => ({
          atMs: Number(clock.unsafeCurrentTimeNanos()) / 1e6,
          group: group?.kills(),
          machine: ifReadable(() => parseKills(vmstat.text()))
        })
        const first = counts()
        return {
          begin: (pid) =>
            Effect.map(monitor.last, (memory) => {
              worker = { pid, counts, watch: beginWatch(first, sampleOf(pid, memory)) }
              workers.add(worker)
            }),
          verdict: (leader, wasAsked) =>
            Effect.map(monitor.last, (memory) => {
              if (worker === undefined) return undefined
              readCounters(worker, memory)
              const kill = oomKillOf(evidenceOf(worker.watch, leader, wasAsked, group?.folder))
              const limitBytes = kill?.cgroup === undefined ? undefined : group?.reachedLimitBytes()
              return kill === undefined || limitBytes === undefined ? kill : { ...kill, limitBytes }
            }),
          end: Effect.sync(() => {
            group?.close()
            if (worker !== undefined) workers.delete(worker)
          })
        } satisfies WorkerOomKills
      })

    yield* monitor.observe((memory) => {
      const nowMs = clock.unsafeCurrentTimeMillis()
      if (nowMs - lookedAtMs < lookIntervalMs && nowMs >= lookedAtMs) return
      lookedAtMs = nowMs
      for (const worker of workers) readCounters(worker, memory)
    })
    yield* monitor.shortage((memory) => {
      for (const worker of workers) worker.watch = withSample(worker.watch, sampleOf(worker.pid, memory))
    })
    return KernelOomKills.of({ watch })
  })

/** `proc` is the folder of the proc file system; tests use another one. */
export const layerAt = (proc: string): Layer.Layer<KernelOomKills, never, MemoryMonitor | LiveWorkers> =>
  Layer.scoped(KernelOomKills, make(proc))

export const layer: Layer.Layer<KernelOomKills, never, MemoryMonitor | LiveWorkers> = layerAt("/proc")
