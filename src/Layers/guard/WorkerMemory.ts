import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { heldBytes } from "../../Domain/machine/ProcessEntry.ts"
import { withMembers } from "../../Domain/machine/ProcessFacts.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import type { LiveWorker } from "../../Domain/tree/ProcessOrigin.ts"
import {
  countedEach,
  cpuPerMille,
  nextRunMemory,
  type RunMemory,
  type TreeMembers,
  treeMemory,
  withSwap,
  workerTrees
} from "../../Domain/tree/WorkerMemory.ts"
import { MinuteBeat } from "../concurrency/MinuteBeat.ts"
import { onceQuiet } from "../concurrency/PlainTimer.ts"
import { InstanceLock } from "../daemon/InstanceLock.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { ProcessScan } from "../machine/ProcessScan.ts"
import { ProcFs, type ProcUnreadable } from "../machine/ProcFs.ts"
import { MemoryMonitor } from "../memory/MemoryMonitor.ts"
import { WorkerGroups } from "../tree/WorkerGroups.ts"
import { LiveWorkers } from "../verdict/LiveWorkers.ts"
import type { ProjectSnapshot } from "../worker/ProjectActor.ts"
import { Supervisor } from "../worker/Supervisor.ts"

/** The memory of workers, by samples of their process trees. */
export class WorkerMemory extends Context.Tag("WorkerMemory")<
  WorkerMemory,
  {
    /** The last sample of the worker with this leader; undefined before the first. */
    readonly of: (pid: number) => RunMemory | undefined
    /** Requests a new sample when the last one is old. Does not wait for it. */
    readonly refresh: () => void
    /** Samples all running workers now. */
    readonly sample: Effect.Effect<ReadonlyArray<TreeMembers>, ProcUnreadable>
    /** The memory of each running worker at the last sample, swap included. */
    readonly held: () => ReadonlyMap<ProjectName, number>
    /** Calls plain code after every sample. */
    readonly observe: (see: () => void) => Effect.Effect<void, never, Scope.Scope>
  }
>() {}

/** A client that reads status again and again gets figures of at most this age. */
const freshNanos = Duration.unsafeToNanos(Duration.seconds(5))

/** A program that loads its parts right after its start is sampled after this delay. */
const settlingMs = 1000

/** Only origins matter here, so the scan reads no details because of a size. */
const nothingIsLarge = { largeBytes: Number.POSITIVE_INFINITY, swapInUseBytes: 0 }

/** The workers that are starting, running or stopping. */
export const liveWorkers = (snapshots: ReadonlyArray<ProjectSnapshot>): ReadonlyArray<LiveWorker> =>
  snapshots.flatMap(({ plan: { project }, state: { phase }, worker }): ReadonlyArray<LiveWorker> => {
    switch (phase._tag) {
      case "Running":
        return [
          { project, running: worker === undefined ? undefined : { id: worker.id, leaderPid: phase.pid } }
        ]
      case "Starting":
      case "Stopping":
        return [{ project, running: undefined }]
      case "Stopped":
      case "Restarting":
      case "Waiting":
      case "Failed":
        return []
    }
  })

interface Known {
  readonly project: ProjectName
  readonly workerId: string
  readonly memory: RunMemory
  readonly members: TreeMembers["members"]
}

const make = Effect.gen(function* () {
  const { homeId } = yield* InstanceLock
  const supervisor = yield* Supervisor
  const { scan } = yield* ProcessScan
  const { swapBytes } = yield* ProcFs
  const { last } = yield* MemoryMonitor
  const live = yield* LiveWorkers
  const groups = yield* WorkerGroups
  const concerns = yield* Concerns
  const events = yield* DaemonEvents
  const beat = yield* MinuteBeat
  const clock = yield* Effect.clock
  const isWanted = yield* Effect.makeLatch(false)
  let known: ReadonlyMap<number, Known> = new Map()
  const observers = new Set<() => void>()
  let sampledNanos: bigint | undefined

  const isSwapInUse = Effect.map(
    last,
    (look) => look !== undefined && look.reading.swapTotalBytes > look.reading.swapFreeBytes
  )

  /** Adds what the kernel accounts for the worker's cgroup, where it does. */
  const withGroup = (tree: TreeMembers): TreeMembers => {
    const group = groups.of(tree.workerId)
    const memory = group?.memory()
    return group === undefined || memory === undefined
      ? tree
      : { ...tree, group: { ...memory, pids: group.members() } }
  }

  const remember = (trees: ReadonlyArray<TreeMembers>, nowNanos: bigint) => {
    const elapsedMs = sampledNanos === undefined ? 0 : Number(nowNanos - sampledNanos) / 1e6
    known = new Map(
      trees.map((tree) => {
        const { leaderPid, members, project, workerId } = tree
        const before = known.get(leaderPid)
        const same = before?.workerId === workerId ? before : undefined
        const cpu = same && cpuPerMille(same.members, members, elapsedMs)
        const now = { ...treeMemory(tree), ...(cpu === undefined ? {} : { cpuPerMille: cpu }) }
        return [leaderPid, { project, workerId, members, memory: nextRunMemory(same?.memory, now) }]
      })
    )
    sampledNanos = nowNanos
    for (const [pid, { memory }] of known) live.sampled(pid, memory)
    for (const see of observers) see()
  }

  const sample = Effect.gen(function* () {
    const workers = liveWorkers(yield* supervisor.snapshots)
    const isAnyRunning = workers.some(({ running }) => running !== undefined)
    const seen = isAnyRunning
      ? yield* scan({ homeId, ...nothingIsLarge }, (facts) =>
          Effect.map(groups.members, (members) => workerTrees(withMembers(facts, members), workers))
        )
      : []
    const found = seen.map(withGroup)
    const pids = found.flatMap((tree) => countedEach(tree).map(({ pid }) => pid))
    const swap = (yield* isSwapInUse) ? yield* swapBytes(pids) : undefined
    const trees = swap === undefined ? found : found.map((tree) => withSwap(tree, swap))
    remember(trees, yield* Clock.currentTimeNanos)
    return trees
  })

  const polling = Effect.gen(function* () {
    for (;;) {
      yield* isWanted.await
      yield* isWanted.close
      // The last sample stays valid until /proc can be read again.
      yield* Effect.catchTag(sample, "ProcUnreadable", () => Effect.void)
    }
  })
  yield* events.hear(["WorkerStarted"], yield* onceQuiet(settlingMs, () => void isWanted.unsafeOpen()))
  // A sample scans all processes, so without a request there is one only this often.
  yield* beat.observe(() => void isWanted.unsafeOpen())
  yield* concerns.run("worker memory", polling)

  return WorkerMemory.of({
    of: (pid) => known.get(pid)?.memory,
    refresh: () => {
      const isFresh = sampledNanos !== undefined && clock.unsafeCurrentTimeNanos() - sampledNanos < freshNanos
      if (!isFresh) isWanted.unsafeOpen()
    },
    sample,
    held: () =>
      new Map(
        [...known].flatMap(([pid, { memory, project }]) =>
          live.of(pid) === undefined ? [] : [[project, heldBytes(memory)] as const]
        )
      ),
    observe: (see) =>
      Effect.acquireRelease(
        Effect.sync(() => void observers.add(see)),
        () => Effect.sync(() => void observers.delete(see))
      )
  })
})

/** Samples after starts, on request, and else rarely; never while no worker runs. */
export const layer: Layer.Layer<
  WorkerMemory,
  never,
  | InstanceLock
  | MinuteBeat
  | Supervisor
  | ProcessScan
  | ProcFs
  | MemoryMonitor
  | LiveWorkers
  | WorkerGroups
  | Concerns
  | DaemonEvents
> = Layer.scoped(WorkerMemory, make)
