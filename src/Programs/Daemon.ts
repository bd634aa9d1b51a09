import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type { EffectiveSettings } from "../Domain/EffectiveSettings.ts"
import { unnamed } from "../Domain/Project.ts"
import { notInForce } from "../Domain/SettingsNotInForce.ts"
import type { AutopilotHome } from "../Layers/AutopilotHome.ts"
import * as Concerns from "../Layers/Concerns.ts"
import * as ControlAnswers from "../Layers/ControlAnswers.ts"
import * as ControlSocket from "../Layers/ControlSocket.ts"
import * as DaemonEvents from "../Layers/DaemonEvents.ts"
import * as DaemonLog from "../Layers/DaemonLog.ts"
import * as EnvFile from "../Layers/EnvFile.ts"
import * as InstanceLock from "../Layers/InstanceLock.ts"
import * as Leftovers from "../Layers/Leftovers.ts"
import * as MemoryMonitor from "../Layers/MemoryMonitor.ts"
import * as OwnOutput from "../Layers/OwnOutput.ts"
import * as ProcFs from "../Layers/ProcFs.ts"
import type { ProjectPlan } from "../Layers/ProjectActor.ts"
import * as ProjectState from "../Layers/ProjectState.ts"
import * as RotatingFile from "../Layers/RotatingFile.ts"
import * as SettingsFile from "../Layers/SettingsFile.ts"
import { loadSettings, type SettingsSources } from "../Layers/SettingsLoader.ts"
import * as ShutdownRequest from "../Layers/ShutdownRequest.ts"
import type { Signals } from "../Layers/Signals.ts"
import * as Supervisor from "../Layers/Supervisor.ts"
import * as Uncaught from "../Layers/Uncaught.ts"
import * as WorkerLife from "../Layers/WorkerLife.ts"
import * as WorkerLog from "../Layers/WorkerLog.ts"
import * as WorkerProcess from "../Layers/WorkerProcess.ts"
import * as WorkerTree from "../Layers/WorkerTree.ts"
import { supervise } from "./Lifecycle.ts"
import { version } from "./Version.ts"

export interface DaemonOptions {
  readonly sources: SettingsSources
  readonly keepState: boolean
}

const planOf = Effect.fnUntraced(function* ({ envFile, settings, worker }: EffectiveSettings) {
  const { argv } = yield* Either.isLeft(worker) ? worker.left : Effect.succeed(worker.right)
  return {
    project: settings.project ?? unnamed,
    argv,
    cwd: settings.workingDir,
    envFile,
    envTable: settings.env,
    graceMs: settings.restart.stopGraceMs,
    restart: settings.restart
  } satisfies ProjectPlan
})

/** What supervises, remembers and answers: it depends on the settings, which are read while the lock is held. */
const Supervision = (options: DaemonOptions) =>
  Layer.unwrapScoped(
    Effect.gen(function* () {
      const memory = yield* (yield* ProcFs.ProcFs).memory
      const effective = yield* loadSettings({
        ...options.sources,
        ...(memory === undefined ? {} : { effectiveTotalBytes: memory.totalBytes })
      })
      const projects = [yield* planOf(effective)] as const
      const warning = notInForce(effective.provenance)
      if (warning !== undefined) {
        yield* (yield* DaemonEvents.DaemonEvents).publish({ _tag: "SettingsDoubtful", warning })
      }
      return ControlSocket.layer.pipe(
        Layer.provide(ControlAnswers.layer({ pid: process.pid, version })),
        Layer.provideMerge(
          Layer.mergeAll(
            Supervisor.layer({ projects, keepState: options.keepState }),
            MemoryMonitor.layer({ pollIntervalMs: effective.settings.memory.pollIntervalMs })
          )
        )
      )
    })
  )

/** What a worker needs to live. */
const Workers = WorkerLife.layer.pipe(
  Layer.provide(Leftovers.layer),
  Layer.provide(Layer.mergeAll(WorkerProcess.layer, WorkerTree.layer, EnvFile.layer)),
  Layer.merge(WorkerLog.layer),
  Layer.merge(ProjectState.layer)
)

/** What tells what happens. */
const Telling = Concerns.layer.pipe(
  Layer.provideMerge(DaemonEvents.layer),
  Layer.provideMerge(DaemonLog.layer),
  Layer.provideMerge(Layer.merge(OwnOutput.layer, RotatingFile.layer))
)

/**
 * The daemon, from the lock to its release: every layer under one runtime. The order is the order of construction,
 * and closing goes backwards: the socket first, then the workers, the log, and last the lock. Returns the exit code.
 */
export const daemon = (options: DaemonOptions) =>
  supervise.pipe(
    Effect.provide(
      Supervision(options).pipe(
        Layer.provideMerge(Workers),
        Layer.provideMerge(Telling),
        Layer.provideMerge(InstanceLock.layer),
        Layer.provideMerge(
          Layer.mergeAll(ProcFs.layer, SettingsFile.layer, ShutdownRequest.layer, Uncaught.layer)
        )
      )
    )
  ) satisfies Effect.Effect<number, unknown, AutopilotHome | Signals>
