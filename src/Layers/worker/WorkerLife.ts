import { randomUUID } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ProjectName } from "../../Domain/Project.ts"
import type { WorkerExit } from "../../Domain/tree/WorkerExit.ts"
import type { OomKill } from "../../Domain/verdict/OomKill.ts"
import type { RunEvidence } from "../../Domain/verdict/WorkerEnd.ts"
import { variable, workerId } from "../../Domain/WorkerId.ts"
import type { WorkerPlan } from "../../Domain/worker/ProjectPlan.ts"
import { workerEnvironment } from "../../Domain/worker/WorkerEnvironment.ts"
import { patientRace } from "../concurrency/PatientRace.ts"
import { InstanceLock } from "../daemon/InstanceLock.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import type { ProjectLog } from "../logs/WorkerLog.ts"
import { CannotStart } from "../tree/Executable.ts"
import { Leftovers, remainsInterval } from "../tree/Leftovers.ts"
import { WorkerGroups } from "../tree/WorkerGroups.ts"
import { WorkerProcess } from "../tree/WorkerProcess.ts"
import { endTree, WorkerTree } from "../tree/WorkerTree.ts"
import { KernelOomKills } from "../verdict/KernelOomKills.ts"
import { LiveWorkers } from "../verdict/LiveWorkers.ts"
import { EnvFile } from "./EnvFile.ts"

/** What a life reports, in this order; `onRemains` only when something cannot be ended. */
export interface LifeEvents {
  readonly onSpawned: (pid: number) => Effect.Effect<void>
  /** With what the kernel has killed of it because memory had run out, where something speaks for that. */
  readonly onExited: (exit: WorkerExit, uptimeMs: number, oomKill: OomKill | undefined) => Effect.Effect<void>
  readonly onRemains: (pids: ReadonlyArray<number>) => Effect.Effect<void>
  /** Nothing of it is left, and all that it has said was read. */
  readonly onSeen: (seen: RunEvidence) => Effect.Effect<void>
}

/** How long the end of a tree is waited for. */
export interface Patience {
  /** The grace after TERM, asked when it begins: the settings may have changed since the start. */
  readonly graceMs: Effect.Effect<number>
  /** Completes when the grace after TERM is to be cut short. */
  readonly hasten: Effect.Effect<void>
  /** Completes when the daemon ends and cannot wait for a process that hangs in the kernel. */
  readonly abandon: Effect.Effect<void>
}

/**
 * A worker's whole life, in one effect: what earlier workers left is ended, the worker runs, and when the effect
 * returns, or was interrupted, nothing of its tree is left. That is what makes two workers of one project impossible.
 */
export class WorkerLife extends Context.Tag("WorkerLife")<
  WorkerLife,
  {
    /** A new id for the next life of a project's worker. */
    readonly newId: (project: ProjectName) => Effect.Effect<string>
    /** Ends what earlier workers have left where no life follows that would; nobody else is started meanwhile. */
    readonly endLeftovers: (
      plan: WorkerPlan,
      hasten: Effect.Effect<void>,
      onRemains: LifeEvents["onRemains"]
    ) => Effect.Effect<void>
    readonly live: (
      plan: WorkerPlan,
      id: string,
      log: ProjectLog,
      patience: Patience,
      tell: LifeEvents
    ) => Effect.Effect<void, CannotStart>
  }
>() {}

/** /proc counts a zombie as gone; Node hears of it at once, unless it hangs in the kernel. */
const reapLimit = Duration.seconds(1)

const make = Effect.gen(function* () {
  const { homeId } = yield* InstanceLock
  const trees = yield* WorkerTree
  const groups = yield* WorkerGroups
  const leftovers = yield* Leftovers
  const processes = yield* WorkerProcess
  const envFiles = yield* EnvFile
  const events = yield* DaemonEvents
  const kernelOomKills = yield* KernelOomKills
  const liveWorkers = yield* LiveWorkers

  const environment = Effect.fnUntraced(function* (plan: WorkerPlan, id: string) {
    const file = yield* envFiles
      .read(plan.envFile.path, { mustExist: plan.envFile.mustExist })
      .pipe(Effect.mapError((error) => new CannotStart({ reason: error.message })))
    for (const warning of file.warnings) {
      yield* events.publish({ _tag: "EnvFileDoubtful", project: plan.project, warning })
    }
    return {
      env: workerEnvironment(process.env, file.values, plan.envTable, id),
      secretValues: Object.values(file.values)
    }
  })

  const live = Effect.fnUntraced(function* (
    plan: WorkerPlan,
    id: string,
    log: ProjectLog,
    { abandon, graceMs, hasten }: Patience,
    tell: LifeEvents
  ) {
    yield* leftovers.end(plan.project, { graceMs: plan.graceMs, hasten }, tell.onRemains)
    const { env, secretValues } = yield* environment(plan, id)
    const mark = `${variable}=${id}`
    // Removed last, when all that it says was read.
    const group = yield* Effect.acquireRelease(groups.make(plan.project, id), () => groups.end(id))
    const oomKills = yield* kernelOomKills.watch(group?.folder)
    const running = yield* Effect.acquireRelease(
      Effect.gen(function* () {
        const worker = yield* processes.start({
          argv: plan.argv,
          cwd: plan.cwd,
          env,
          entrance: group?.entrance
        })
        const tree = yield* trees.of(worker.pid, mark, group)
        let isTold = false
        const tellExit = (wasAsked: boolean) =>
          Effect.flatMap(worker.exit, ({ exit, uptimeMs }) =>
            Effect.suspend(() => {
              if (isTold) return Effect.void
              isTold = true
              return Effect.flatMap(oomKills.verdict(exit, wasAsked), (oomKill) =>
                tell.onExited(exit, uptimeMs, oomKill)
              )
            }).pipe(Effect.uninterruptible)
          )
        const capture = yield* log.capture(worker, secretValues)
        liveWorkers.add(worker.pid, capture)
        return { worker, tree, tellExit, capture }
      }),
      ({ capture, tellExit, tree, worker }) =>
        Effect.gen(function* () {
          const ending = { graceMs: yield* graceMs, hasten }
          const pause = patientRace([
            Effect.as(Effect.sleep(remainsInterval), true),
            Effect.as(abandon, false)
          ])
          const isGone = yield* endTree(trees, tree, ending, tell.onRemains, pause)
          if (isGone) yield* leftovers.areGone(plan.project)
          // How a worker ended that was told to: whether by itself, or only by force. Node knows once it has reaped it.
          yield* patientRace([tellExit(true), Effect.sleep(reapLimit)])
          yield* capture.finish
          yield* tell.onSeen({
            agent: capture.agent(),
            tail: yield* capture.tail,
            peakMemoryBytes: liveWorkers.of(worker.pid)?.memory?.peakBytes,
            nowMs: yield* Clock.currentTimeMillis,
            timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone
          })
          liveWorkers.remove(worker.pid)
        })
    )
    if (group !== undefined) yield* Effect.forkScoped(groups.verify(id, running.worker.pid))
    yield* oomKills.begin(running.worker.pid)
    yield* tell.onSpawned(running.worker.pid)
    yield* running.tellExit(false)
  })

  return WorkerLife.of({
    newId: (project) => Effect.sync(() => workerId(homeId, project, randomUUID())),
    endLeftovers: ({ graceMs, project }, hasten, onRemains) =>
      leftovers.end(project, { graceMs, hasten }, onRemains),
    live: (plan, id, log, patience, tell) =>
      Effect.interruptible(Effect.scoped(live(plan, id, log, patience, tell)))
  })
})

export const layer: Layer.Layer<
  WorkerLife,
  never,
  | InstanceLock
  | Leftovers
  | WorkerGroups
  | WorkerTree
  | WorkerProcess
  | EnvFile
  | DaemonEvents
  | KernelOomKills
  | LiveWorkers
> = Layer.effect(WorkerLife, make)
