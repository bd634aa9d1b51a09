import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { memoryByLeader, type TreeMemory } from "../Domain/WorkerMemory.ts"
import { Concerns } from "./Concerns.ts"
import { DaemonEvents } from "./DaemonEvents.ts"
import { ProcFs } from "./ProcFs.ts"
import { Supervisor } from "./Supervisor.ts"

/** What workers' trees hold, as last looked at. */
export class WorkerMemory extends Context.Tag("WorkerMemory")<
  WorkerMemory,
  {
    /** Of the worker with this pid; undefined until it has been looked at. */
    readonly of: (pid: number) => TreeMemory | undefined
    /** Somebody wants to know: where the last look is old, there is another one in a moment. Waits for nothing. */
    readonly ask: Effect.Effect<void>
  }
>() {}

/** A look walks over all processes. While nobody asks there is one only this often. */
const unaskedInterval = Duration.seconds(60)

/** Who asks again and again sees figures of at most this age. */
const freshNanos = Duration.unsafeToNanos(Duration.seconds(5))

/** After its start a program loads its parts: a look at once would tell nothing. */
const settlingTime = Duration.seconds(1)

const make = Effect.gen(function* () {
  const supervisor = yield* Supervisor
  const proc = yield* ProcFs
  const concerns = yield* Concerns
  const events = yield* DaemonEvents
  const isWanted = yield* Effect.makeLatch(false)
  let memory: ReadonlyMap<number, TreeMemory> = new Map()
  let lookedNanos: bigint | undefined

  const look = Effect.gen(function* () {
    const snapshots = yield* supervisor.snapshots
    const leaders = snapshots.flatMap(({ state: { phase } }) => (phase._tag === "Running" ? [phase.pid] : []))
    memory = leaders.length === 0 ? new Map() : memoryByLeader(yield* proc.processes, new Set(leaders))
    lookedNanos = yield* Clock.currentTimeNanos
    // What cannot be read now is looked at another time; until then the last look holds.
  }).pipe(Effect.catchTag("ProcUnreadable", () => Effect.void))

  const looks = Effect.gen(function* () {
    for (;;) {
      yield* Effect.timeoutOption(isWanted.await, unaskedInterval)
      yield* isWanted.close
      yield* look
    }
  })
  const starts = events.changes.pipe(
    Stream.filter(({ _tag }) => _tag === "WorkerStarted"),
    Stream.debounce(settlingTime),
    Stream.runForEach(() => isWanted.open)
  )
  yield* concerns.run("worker memory", Effect.all([looks, starts], { concurrency: "unbounded" }))

  return WorkerMemory.of({
    of: (pid) => memory.get(pid),
    ask: Effect.flatMap(Clock.currentTimeNanos, (now) =>
      lookedNanos !== undefined && now - lookedNanos < freshNanos ? Effect.void : isWanted.open
    ).pipe(Effect.asVoid)
  })
})

/** Looks after starts, when somebody asks, and else rarely; at nothing while no worker runs. */
export const layer: Layer.Layer<WorkerMemory, never, Supervisor | ProcFs | Concerns | DaemonEvents> =
  Layer.scoped(WorkerMemory, make)
