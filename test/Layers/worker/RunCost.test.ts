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
  it.scopedLive("starts a handful of fibers: a restart that passes a value through many is slow", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* countedFibers((started) =>
        Effect.gen(function* () {
          const { newId, run } = yield* WorkerRun.WorkerRun
          const counts: Array<number> = []
          for (let runs = 0; runs < 4; runs++) {
            const before = started()
            const argv = ["/bin/true"] as const
            yield* run({ ...plan, argv }, yield* newId(plan.project), silentLog, patience, report)
            counts.push(started() - before)
          }
          assert.isAbove(counts[0] ?? 0, 0)
          // The first run sweeps the home and inspects the program.
          assert.isAtMost(Math.max(...counts.slice(1)), 6, `fibers of each run: ${counts.join(", ")}`)
        }).pipe(Effect.provide(runsIn(home)))
      )
    })
  )
})
