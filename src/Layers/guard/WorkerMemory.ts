import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { withMembers } from "../../Domain/machine/ProcessFacts.ts"
import {
  countedEach,
  type LifeMemory,
  nextLife,
  type TreeMembers,
  treeMemory,
  withSwap,
  workerTrees
} from "../../Domain/tree/WorkerMemory.ts"
import { InstanceLock } from "../daemon/InstanceLock.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { ProcessMemory } from "../machine/ProcessMemory.ts"
import { ProcessScan } from "../machine/ProcessScan.ts"
import type { ProcUnreadable } from "../machine/ProcFs.ts"
import { MemoryMonitor } from "../memory/MemoryMonitor.ts"
import { WorkerGroups } from "../tree/WorkerGroups.ts"
import { LiveWorkers } from "../verdict/LiveWorkers.ts"
import { Supervisor } from "../worker/Supervisor.ts"
import { inCharge } from "./WorkersInCharge.ts"

/** What workers' trees hold, as last looked at. */
export class WorkerMemory extends Context.Tag("WorkerMemory")<
  WorkerMemory,
  {
    /** Of the worker with this pid; undefined until it has been looked at. */
    readonly of: (pid: number) => LifeMemory | undefined
    /** Somebody wants to know: where the last look is old, there is another one in a moment. Waits for nothing. */
    readonly ask: Effect.Effect<void>
    /** Looks now, at all workers that run. */
    readonly look: Effect.Effect<ReadonlyArray<TreeMembers>, ProcUnreadable>
  }
>() {}

/** A look walks over all processes. While nobody asks there is one only this often. */
const unaskedInterval = Duration.seconds(60)

/** Who asks again and again sees figures of at most this age. */
const freshNanos = Duration.unsafeToNanos(Duration.seconds(5))

/** After its start a program loads its parts: a look at once would tell nothing. */
const settlingTime = Duration.seconds(1)

/** Whose a process is matters here, and not what it is: no details are read of any for its size. */
const nothingIsLarge = { largeBytes: Number.POSITIVE_INFINITY, swapInUseBytes: 0 }

interface Known {
  readonly workerId: string
  readonly memory: LifeMemory
}

const make = Effect.gen(function* () {
  const { homeId } = yield* InstanceLock
  const supervisor = yield* Supervisor
  const scan = yield* ProcessScan
  const { swapped } = yield* ProcessMemory
  const { last } = yield* MemoryMonitor
  const live = yield* LiveWorkers
  const groups = yield* WorkerGroups
  const concerns = yield* Concerns
  const events = yield* DaemonEvents
  const isWanted = yield* Effect.makeLatch(false)
  let known: ReadonlyMap<number, Known> = new Map()
  let lookedNanos: bigint | undefined

  const isSwapInUse = Effect.map(
    last,
    (look) => look !== undefined && look.reading.swapTotalBytes > look.reading.swapFreeBytes
  )

  /** With what the kernel accounts for its cgroup, where it does. */
  const withGroup = (tree: TreeMembers): Effect.Effect<TreeMembers> => {
    const group = groups.of(tree.workerId)
    const memory = group?.memory()
    return group === undefined || memory === undefined
      ? Effect.succeed(tree)
      : Effect.map(group.members, (pids) => ({ ...tree, group: { ...memory, pids } }))
  }

  const remember = (trees: ReadonlyArray<TreeMembers>) => {
    known = new Map(
      trees.map((tree) => {
        const { leaderPid, workerId } = tree
        const before = known.get(leaderPid)
        const same = before?.workerId === workerId ? before.memory : undefined
        return [leaderPid, { workerId, memory: nextLife(same, treeMemory(tree)) }]
      })
    )
    for (const [pid, { memory }] of known) live.sampled(pid, memory)
  }

  const look = Effect.gen(function* () {
    const workers = (yield* supervisor.snapshots).flatMap(inCharge)
    const isAnyRunning = workers.some(({ running }) => running !== undefined)
    const seen = isAnyRunning
      ? yield* scan.look({ homeId, ...nothingIsLarge }, (facts) =>
          Effect.map(groups.members, (members) => workerTrees(withMembers(facts, members), workers))
        )
      : []
    const found = yield* Effect.forEach(seen, withGroup)
    const pids = found.flatMap((tree) => countedEach(tree).map(({ pid }) => pid))
    const swap = (yield* isSwapInUse) ? yield* swapped(pids) : undefined
    const trees = swap === undefined ? found : found.map((tree) => withSwap(tree, swap))
    remember(trees)
    lookedNanos = yield* Clock.currentTimeNanos
    return trees
  })

  const looks = Effect.gen(function* () {
    for (;;) {
      yield* Effect.timeoutOption(isWanted.await, unaskedInterval)
      yield* isWanted.close
      // What cannot be read now is looked at another time; until then the last look holds.
      yield* Effect.catchTag(look, "ProcUnreadable", () => Effect.void)
    }
  })
  const starts = events.changes.pipe(
    Stream.filter(({ _tag }) => _tag === "WorkerStarted"),
    Stream.debounce(settlingTime),
    Stream.runForEach(() => isWanted.open)
  )
  yield* concerns.run("worker memory", Effect.all([looks, starts], { concurrency: "unbounded" }))

  return WorkerMemory.of({
    of: (pid) => known.get(pid)?.memory,
    ask: Effect.flatMap(Clock.currentTimeNanos, (now) =>
      lookedNanos !== undefined && now - lookedNanos < freshNanos ? Effect.void : isWanted.open
    ).pipe(Effect.asVoid),
    look
  })
})

/** Looks after starts, when somebody asks, and else rarely; at nothing while no worker runs. */
export const layer: Layer.Layer<
  WorkerMemory,
  never,
  | InstanceLock
  | Supervisor
  | ProcessScan
  | ProcessMemory
  | MemoryMonitor
  | LiveWorkers
  | WorkerGroups
  | Concerns
  | DaemonEvents
> = Layer.scoped(WorkerMemory, make)
