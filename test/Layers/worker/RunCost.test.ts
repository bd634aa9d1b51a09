import { createHook } from "node:async_hooks"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as ProcessSignal from "../../../src/Layers/machine/ProcessSignal.ts"
import * as ProcFs from "../../../src/Layers/machine/ProcFs.ts"
import * as Leftovers from "../../../src/Layers/tree/Leftovers.ts"
import { WorkerGroups, withoutGroups } from "../../../src/Layers/tree/WorkerGroups.ts"
import * as WorkerProcess from "../../../src/Layers/tree/WorkerProcess.ts"
import * as WorkerTree from "../../../src/Layers/tree/WorkerTree.ts"
import { KernelOomKills } from "../../../src/Layers/verdict/KernelOomKills.ts"
import * as LiveWorkers from "../../../src/Layers/verdict/LiveWorkers.ts"
import * as EnvFile from "../../../src/Layers/worker/EnvFile.ts"
import * as WorkerRun from "../../../src/Layers/worker/WorkerRun.ts"
import { countedFibers } from "../../fixtures/CountedFibers.ts"
import { heldHome } from "../../fixtures/HeldHome.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"
import { plan, silentLog } from "./SupervisorWorld.ts"

const patience = {
  graceMs: Effect.succeed(0),
  lingerMs: Effect.succeed(0),
  hasten: Effect.never,
  abandon: Effect.never
}

const report = {
  onAgent: () => Effect.void,
  onSpawned: () => Effect.void,
  onExited: () => Effect.void,
  onRemains: () => Effect.void,
  onGone: Effect.void,
  onEvidence: () => Effect.void
}

/** Real processes and a real /proc, in a home of the test's own. */
const runsIn = (home: string) =>
  WorkerRun.layer.pipe(
    Layer.provide(Leftovers.layer),
    Layer.provide(WorkerTree.layer),
    Layer.provide(Layer.mergeAll(WorkerProcess.layer, ProcessSignal.layer, EnvFile.layer)),
    Layer.provide(
      Layer.mergeAll(
        ProcFs.layer,
        heldHome("home-of-run-cost"),
        Layer.succeed(AutopilotHome, pathsBelow(home)),
        Layer.succeed(WorkerGroups, withoutGroups),
        Layer.succeed(KernelOomKills, {
          watch: () =>
            Effect.succeed({
              begin: () => Effect.void,
              verdict: () => Effect.succeed(undefined),
              end: Effect.void
            })
        }),
        LiveWorkers.layer,
        recordedEvents([])
      )
    )
  )

describe("a run of a worker that exits at once", () => {
  it.scopedLive(
    "costs a handful of fibers, few operations, and no question to a disk but for what has changed",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        let questions = 0
        const hook = createHook({ init: (_, type) => void (questions += Number(type.startsWith("FSREQ"))) })
        yield* Effect.acquireRelease(
          Effect.sync(() => hook.enable()),
          () => Effect.sync(() => hook.disable())
        )
        yield* countedFibers((counts) =>
          Effect.gen(function* () {
            const { newId, run } = yield* WorkerRun.WorkerRun
            const fibers: Array<number> = []
            const operations: Array<number> = []
            const asked: Array<number> = []
            for (let runs = 0; runs < 5; runs++) {
              const before = counts()
              const askedBefore = questions
              const argv = ["/bin/true"] as const
              yield* run({ ...plan, argv }, yield* newId(plan.project), silentLog, patience, report)
              const after = counts()
              fibers.push(after.fibers - before.fibers)
              operations.push(after.operations - before.operations)
              asked.push(questions - askedBefore)
            }
            // The first run sweeps the home and inspects the program. What else runs in this process makes others dearer.
            const least = (of: ReadonlyArray<number>) => Math.min(...of.slice(1))
            const all = JSON.stringify({ fibers, operations, asked })
            assert.isAbove(fibers[0] ?? 0, 0, all)
            assert.isAtMost(least(fibers), 0, all)
            assert.isAbove(least(operations), 100, all)
            assert.isAtMost(least(operations), 180, all)
            // The env file, the working directory, the program and its loader: one stat each.
            assert.isAbove(least(asked), 0, all)
            assert.isAtMost(least(asked), 4, all)
          }).pipe(Effect.provide(runsIn(home)))
        )
      })
  )
})
