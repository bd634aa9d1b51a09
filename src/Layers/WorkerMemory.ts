import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { memoryByLeader, type TreeMemory } from "../Domain/WorkerMemory.ts"
import { Concerns } from "./Concerns.ts"
import { MemoryMonitor } from "./MemoryMonitor.ts"
import { ProcFs } from "./ProcFs.ts"
import { Supervisor } from "./Supervisor.ts"

/** What workers' trees hold, as last looked at. */
export class WorkerMemory extends Context.Tag("WorkerMemory")<
  WorkerMemory,
  {
    /** Of the worker with this pid; undefined until it has been looked at. */
    readonly of: (pid: number) => TreeMemory | undefined
  }
>() {}

/** Looks whenever the machine's memory is looked at, in the same turn, and only while a worker runs. */
export const layer: Layer.Layer<WorkerMemory, never, MemoryMonitor | Supervisor | ProcFs | Concerns> =
  Layer.scoped(
    WorkerMemory,
    Effect.gen(function* () {
      const { reading } = yield* MemoryMonitor
      const supervisor = yield* Supervisor
      const proc = yield* ProcFs
      const concerns = yield* Concerns
      let memory: ReadonlyMap<number, TreeMemory> = new Map()
      const look = Effect.gen(function* () {
        const snapshots = yield* supervisor.snapshots
        const leaders = snapshots.flatMap(({ state: { phase } }) =>
          phase._tag === "Running" ? [phase.pid] : []
        )
        memory = leaders.length === 0 ? new Map() : memoryByLeader(yield* proc.processes, new Set(leaders))
      })
      // What cannot be read now is looked at again in a moment; until then the last look holds.
      const watch = Stream.runForEach(reading.changes, () =>
        Effect.catchTag(look, "ProcUnreadable", () => Effect.void)
      )
      yield* concerns.run("worker memory", watch)
      return { of: (pid) => memory.get(pid) }
    })
  )
