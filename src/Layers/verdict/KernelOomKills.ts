import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { unifiedCgroupOf } from "../../Domain/machine/CgroupMemory.ts"
import type { WorkerExit } from "../../Domain/tree/WorkerExit.ts"
import { isWithin } from "../../Domain/tree/WorkerGroup.ts"
import { type OomKill, type OomSample, oomKillOf } from "../../Domain/verdict/OomKill.ts"
import {
  beginWatch,
  evidenceOf,
  type KillSight,
  nextWatch,
  type OomKillWatch,
  withoutOne,
  withSample
} from "../../Domain/verdict/OomKillWatch.ts"
import { Concerns } from "../history/Concerns.ts"
import type { KernelRoots } from "../machine/MemoryReader.ts"
import { ProcFs } from "../machine/ProcFs.ts"
import { MemoryMonitor } from "../memory/MemoryMonitor.ts"
import type { WorkerGroup } from "../tree/WorkerGroup.ts"
import { type GroupCounter, oomKillCounters } from "./OomKillCounters.ts"
import { WorkerSamples } from "./WorkerSamples.ts"

/** A watch for kills of one worker. */
export interface OomKillsWatched {
  /** The leader runs, with this pid: its counters are looked at from now on. */
  readonly begin: (pid: number) => Effect.Effect<void>
  /**
   * What the kernel has killed of the worker; undefined when nothing speaks for it. To be asked once the leader has
   * ended: the kernel counts a kill before it carries it out.
   */
  readonly verdict: (leader: WorkerExit, wasAsked: boolean) => Effect.Effect<OomKill | undefined>
}

/**
 * Recognises that the kernel has killed processes of a worker because memory had run out. Nothing here fails: where the
 * kernel does not tell, nothing is known.
 */
export class KernelOomKills extends Context.Tag("KernelOomKills")<
  KernelOomKills,
  {
    /**
     * For the worker whose processes carry this entry in their environment, until the scope ends. `group` is the one
     * that was made for it and that nobody else will be in.
     */
    readonly watch: (
      mark: string,
      group?: Pick<WorkerGroup, "folder" | "path">
    ) => Effect.Effect<OomKillsWatched, never, Scope.Scope>
  }
>() {}

/**
 * How often the counters are looked at while workers run: a kill is told from what happened before and after it only as
 * well as that.
 */
const lookInterval = Duration.seconds(5)

/** A worker that runs. */
interface Watched {
  readonly pid: number
  readonly mark: string
  /** Of the group that was made for it, where memory is accounted for that. */
  readonly made: { readonly path: string; readonly counter: GroupCounter } | undefined
  /** What names its groups, when last looked at. */
  groups: string | undefined
  counter: GroupCounter | undefined
  isAlone: boolean
  /** The processes that are known to be its own. */
  own: ReadonlySet<number>
  watch: OomKillWatch
}

const make = (roots: KernelRoots) =>
  Effect.gen(function* () {
    const monitor = yield* MemoryMonitor
    const samples = yield* WorkerSamples
    const proc = yield* ProcFs
    const concerns = yield* Concerns
    const clock = yield* Effect.clock
    const counters = oomKillCounters(roots)
    const workers = new Set<Watched>()

    const sampleOf = (pid: number, memory: OomSample["memory"]): OomSample => ({
      memory,
      tree: samples.of(pid)
    })

    const sightOf = (
      counter: GroupCounter | undefined,
      isAlone: boolean,
      machineKills: number | undefined
    ): KillSight => {
      const kills = counter?.kills()
      return {
        atMs: Number(clock.unsafeCurrentTimeNanos()) / 1e6,
        group:
          counter === undefined || kills === undefined
            ? undefined
            : { folder: counter.folder, kills, isAlone },
        machineKills
      }
    }

    const count = (worker: Watched, memory: OomSample["memory"], machineKills: number | undefined) => {
      const sight = sightOf(worker.counter, worker.isAlone, machineKills)
      worker.watch = nextWatch(worker.watch, sight, sampleOf(worker.pid, memory))
    }

    /** Those of `pids` that are the worker's, up to the first that is not: then it is not alone. */
    const ownAmong = Effect.fnUntraced(function* (
      { mark, own, pid: leader }: Watched,
      pids: ReadonlyArray<number>
    ) {
      const found = new Set<number>()
      for (const pid of pids) {
        if (pid === process.pid) continue
        if (!own.has(pid) && pid !== leader) {
          const entry = yield* proc.process(pid)
          const isGone = entry === undefined ? pid !== 0 : entry.state === "Z"
          if (isGone) continue
          const isOwn = entry?.session === leader || (yield* proc.carrying([pid], mark)).has(pid)
          if (!isOwn) return undefined
        }
        found.add(pid)
      }
      return found
    })

    const others = (worker: Watched) =>
      [...workers].filter(
        (other) =>
          other !== worker && other.counter !== undefined && other.counter.folder === worker.counter?.folder
      )

    /** Looks who is in the worker's group. What cannot be known counts as others. */
    const lookAround = Effect.fnUntraced(function* (worker: Watched) {
      const { counter } = worker
      if (counter !== undefined && counter === worker.made?.counter) return
      const pids = counter?.members()
      const own =
        pids === undefined
          ? undefined
          : yield* Effect.catchTag(ownAmong(worker, pids), "ProcUnreadable", () => Effect.succeed(undefined))
      if (counter !== worker.counter) return
      worker.own = own ?? new Set()
      worker.isAlone = own !== undefined && others(worker).length === 0
    })

    /** Looks up the worker's group, which a program may change for itself. */
    const lookUp = (worker: Watched) => {
      const groups = counters.groupsOf(worker.pid)
      // Its leader has just ended: what is known of its group still holds.
      if (groups === undefined || groups === worker.groups) return
      worker.groups = groups
      const { made } = worker
      const isInMade = made !== undefined && isWithin(unifiedCgroupOf(groups), made.path)
      const counter = isInMade ? made.counter : counters.find(worker.pid, groups)
      if (counter !== worker.counter) worker.counter?.close()
      worker.counter = counter
      worker.isAlone = isInMade
      // Others were told to be alone before this one was there.
      for (const other of others(worker)) other.isAlone = false
    }

    const look = Effect.gen(function* () {
      if (workers.size === 0) return
      const memory = yield* monitor.last
      const machineKills = counters.machineKills()
      for (const worker of workers) count(worker, memory, machineKills)
      // To look up a group waits for whoever makes or removes one, which takes long when memory is critical.
      if (memory?.level === "critical") return
      for (const worker of workers) {
        lookUp(worker)
        yield* lookAround(worker)
        if (workers.has(worker)) count(worker, memory, machineKills)
      }
    })

    const note = (memory: OomSample["memory"]) => {
      for (const worker of workers) worker.watch = withSample(worker.watch, sampleOf(worker.pid, memory))
    }

    const watch = Effect.fnUntraced(function* (mark: string, group?: Pick<WorkerGroup, "folder" | "path">) {
      let worker: Watched | undefined
      const machineKills = counters.machineKills()
      const counter = group && counters.ofGroup(group.folder)
      const made = group && counter && { path: group.path, counter }
      const first = sightOf(counter, made !== undefined, machineKills)
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          made?.counter.close()
          if (worker === undefined) return
          workers.delete(worker)
          worker.counter?.close()
        })
      )
      return {
        begin: Effect.fnUntraced(function* (pid: number) {
          const memory = yield* monitor.last
          const begun: Watched = {
            pid,
            mark,
            made,
            groups: undefined,
            counter,
            isAlone: made !== undefined,
            own: new Set(),
            watch: beginWatch(first, sampleOf(pid, memory))
          }
          worker = begun
          workers.add(begun)
          // It is on its way into the group that was made for it; whether it got there is seen at the next look.
          if (made === undefined) lookUp(begun)
          count(begun, memory, counters.machineKills())
          yield* lookAround(begun)
          count(begun, memory, counters.machineKills())
        }),
        verdict: (leader: WorkerExit, wasAsked: boolean) =>
          Effect.map(monitor.last, (memory) => {
            if (worker === undefined) return undefined
            const machineKills = counters.machineKills()
            const sharing = others(worker)
            for (const each of [worker, ...sharing]) count(each, memory, machineKills)
            const kill = oomKillOf(evidenceOf(worker.watch, leader, wasAsked))
            if (kill?.certainty === "proven") {
              for (const other of sharing) other.watch = withoutOne(other.watch)
            }
            const limitBytes =
              made !== undefined && kill?.cgroup === made.counter.folder
                ? made.counter.reachedLimitBytes()
                : undefined
            return kill === undefined || limitBytes === undefined ? kill : { ...kill, limitBytes }
          })
      } satisfies OomKillsWatched
    })

    const shortage = Stream.runForEach(monitor.shortage, (memory) => Effect.sync(() => note(memory)))
    const looks = Effect.forever(Effect.delay(look, lookInterval))
    yield* concerns.run("kernel OOM kills", Effect.all([shortage, looks], { concurrency: "unbounded" }))
    return KernelOomKills.of({ watch })
  })

/** Reads below other roots, as tests do. */
export const layerAt = (
  roots: KernelRoots
): Layer.Layer<KernelOomKills, never, MemoryMonitor | WorkerSamples | ProcFs | Concerns> =>
  Layer.scoped(KernelOomKills, make(roots))

export const layer: Layer.Layer<KernelOomKills, never, MemoryMonitor | WorkerSamples | ProcFs | Concerns> =
  layerAt({ proc: "/proc", sys: "/sys" })
