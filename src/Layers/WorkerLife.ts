import { randomUUID } from "node:crypto"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import type { ProjectName } from "../Domain/Project.ts"
import type { WorkerExit } from "../Domain/WorkerExit.ts"
import { workerEnvironment } from "../Domain/WorkerEnvironment.ts"
import { entryPrefix, variable, workerId } from "../Domain/WorkerId.ts"
import type { Argv } from "../Domain/WorkerCommand.ts"
import { DaemonEvents } from "./DaemonEvents.ts"
import { EnvFile } from "./EnvFile.ts"
import { CannotStart } from "./Executable.ts"
import { InstanceLock } from "./InstanceLock.ts"
import type { ProjectLog } from "./WorkerLog.ts"
import { WorkerProcess } from "./WorkerProcess.ts"
import { WorkerTree } from "./WorkerTree.ts"

/** One project's worker, as it is to be run. */
export interface WorkerPlan {
  readonly project: ProjectName
  readonly argv: Argv
  readonly cwd: string
  /** Read anew before every start, so that a rotated key works at the next one. */
  readonly envFile: { readonly path: string; readonly mustExist: boolean }
  readonly envTable: Readonly<Record<string, string>>
  readonly graceMs: number
}

/** What a life reports, in this order; `onRemains` only when something cannot be ended. */
export interface LifeEvents {
  readonly onSpawned: (pid: number) => Effect.Effect<void>
  readonly onExited: (exit: WorkerExit, uptimeMs: number) => Effect.Effect<void>
  readonly onRemains: (pids: ReadonlyArray<number>) => Effect.Effect<void>
}

/** How long the end of a tree is waited for. */
export interface Patience {
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
    readonly live: (
      plan: WorkerPlan,
      id: string,
      log: ProjectLog,
      patience: Patience,
      tell: LifeEvents
    ) => Effect.Effect<void, CannotStart>
  }
>() {}

/** How often a process that hangs in the kernel is looked at again. */
const remainsInterval = Duration.seconds(1)

const make = Effect.gen(function* () {
  const { homeId } = yield* InstanceLock
  const trees = yield* WorkerTree
  const processes = yield* WorkerProcess
  const envFiles = yield* EnvFile
  const events = yield* DaemonEvents

  /** Ends what carries `mark`, however long it takes; the grace is that of a worker. */
  const sweep = Effect.fnUntraced(function* (
    mark: string,
    graceMs: number,
    hasten: Effect.Effect<void>,
    onRemains: LifeEvents["onRemains"]
  ) {
    const tree = { leader: undefined, mark, seen: new Map<number, number>() }
    for (;;) {
      // Half a sweep would leave the half that ignores TERM.
      const remains = yield* Effect.uninterruptible(trees.end(tree, { graceMs, hasten }))
      if (remains.length === 0) break
      yield* onRemains(remains)
      yield* Effect.sleep(remainsInterval)
    }
    const pids = [...tree.seen.keys()]
    if (pids.length > 0) yield* events.publish({ _tag: "LeftoversEnded", pids })
  })

  // The first life of a daemon ends what an earlier one left, of all its projects.
  const hasSweptHome = yield* Effect.makeSemaphore(1).pipe(
    Effect.zip(Ref.make(false)),
    Effect.map(
      ([turn, isDone]) =>
        (work: Effect.Effect<void>) =>
          turn.withPermits(1)(
            Effect.unlessEffect(Effect.zipRight(work, Ref.set(isDone, true)), Ref.get(isDone))
          )
    )
  )

  const environment = Effect.fnUntraced(function* (plan: WorkerPlan, id: string) {
    const file = yield* envFiles
      .read(plan.envFile.path, { mustExist: plan.envFile.mustExist })
      .pipe(Effect.mapError((error) => new CannotStart({ reason: error.message })))
    for (const warning of file.warnings) {
      yield* events.publish({ _tag: "EnvFileDoubtful", project: plan.project, warning })
    }
    return workerEnvironment(process.env, file.values, plan.envTable, id)
  })

  const live = Effect.fnUntraced(function* (
    plan: WorkerPlan,
    id: string,
    log: ProjectLog,
    { abandon, hasten }: Patience,
    tell: LifeEvents
  ) {
    const ending = { graceMs: plan.graceMs, hasten }
    yield* hasSweptHome(sweep(entryPrefix(homeId), plan.graceMs, hasten, tell.onRemains))
    yield* sweep(entryPrefix(homeId, plan.project), plan.graceMs, hasten, tell.onRemains)
    const env = yield* environment(plan, id)
    const running = yield* Effect.acquireRelease(
      Effect.gen(function* () {
        const worker = yield* processes.start({ argv: plan.argv, cwd: plan.cwd, env })
        const tree = yield* trees.of(worker.pid, `${variable}=${id}`)
        return { worker, tree, capture: yield* log.capture(worker) }
      }),
      ({ capture, tree }) =>
        Effect.gen(function* () {
          let isAbandoned = false
          while (!isAbandoned) {
            const remains = yield* trees.end(tree, ending)
            if (remains.length === 0) break
            yield* tell.onRemains(remains)
            isAbandoned = yield* Effect.raceFirst(
              Effect.as(Effect.interruptible(Effect.sleep(remainsInterval)), false),
              Effect.as(Effect.interruptible(abandon), true)
            )
          }
          yield* capture.finish
        })
    )
    yield* tell.onSpawned(running.worker.pid)
    const { exit, uptimeMs } = yield* running.worker.exit
    yield* tell.onExited(exit, uptimeMs)
  })

  return WorkerLife.of({
    newId: (project) => Effect.sync(() => workerId(homeId, project, randomUUID())),
    live: (plan, id, log, patience, tell) =>
      Effect.interruptible(Effect.scoped(live(plan, id, log, patience, tell)))
  })
})

export const layer: Layer.Layer<
  WorkerLife,
  never,
  InstanceLock | WorkerTree | WorkerProcess | EnvFile | DaemonEvents
> = Layer.effect(WorkerLife, make)
