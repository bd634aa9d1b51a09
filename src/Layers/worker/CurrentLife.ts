import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { RunEvidence } from "../../Domain/verdict/WorkerEnd.ts"
import type { ProjectPlan } from "../../Domain/worker/ProjectPlan.ts"
import type { WorkerEvent } from "../../Domain/worker/WorkerEvent.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { WorkerLog } from "../logs/WorkerLog.ts"
import { WorkerLife } from "./WorkerLife.ts"

/** The life of a project's worker that goes on, or went on last. */
export interface CurrentLife {
  /** Begins one with the plan as it is now. Reports carry the epoch. */
  readonly spawn: (epoch: number, id: string) => Effect.Effect<void>
  /** Begins to end its tree; `Down` is reported when nothing of it is left. */
  readonly end: Effect.Effect<void>
  /** Cuts the grace short. */
  readonly hasten: Effect.Effect<void>
  /** Ends what earlier workers have left, where nothing is started that would. */
  readonly endLeftovers: Effect.Effect<void>
  /** Who lives or lived last, with which plan, and since when on the monotonic clock; undefined before the first. */
  readonly look: () =>
    | { readonly id: string; readonly plan: ProjectPlan; readonly startedNanos: bigint | undefined }
    | undefined
}

interface Life {
  readonly id: string
  readonly plan: ProjectPlan
  /** Undefined until it runs. */
  readonly started: { readonly nanos: bigint | undefined }
  readonly fiber: Fiber.RuntimeFiber<void>
  readonly hasten: Deferred.Deferred<void>
}

/** Lives of one project's worker, one after the other, each reporting to `tell`. The last ends with the scope. */
export const make = Effect.fnUntraced(function* (
  project: ProjectPlan["project"],
  planNow: () => ProjectPlan,
  tell: (event: WorkerEvent) => Effect.Effect<void>
) {
  const lives = yield* WorkerLife
  const events = yield* DaemonEvents
  const log = yield* (yield* WorkerLog).open(project)
  const abandon = yield* Deferred.make<void>()
  let life: Life | undefined

  // Lives end in a scope of their own, so that the word to give up on what hangs in the kernel comes before it closes.
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer((exit) =>
    Effect.zipRight(Deferred.succeed(abandon, undefined), Scope.close(scope, exit))
  )

  const spawn = Effect.fnUntraced(function* (epoch: number, id: string) {
    const plan = planNow()
    const hasten = yield* Deferred.make<void>()
    const patience = {
      graceMs: Effect.sync(() => planNow().graceMs),
      hasten: Deferred.await(hasten),
      abandon: Deferred.await(abandon)
    }
    const started: { nanos: bigint | undefined } = { nanos: undefined }
    let seen: RunEvidence | undefined
    const fiber = yield* lives
      .live(plan, id, log, patience, {
        onSpawned: Effect.fnUntraced(function* (pid) {
          started.nanos = yield* Clock.currentTimeNanos
          yield* events.publish({ _tag: "WorkerStarted", project, pid, workerId: id, command: plan.argv })
          yield* tell({ _tag: "Spawned", epoch, pid })
        }),
        onExited: (exit, uptimeMs, oomKill) =>
          tell({ _tag: "Exited", epoch, exit, uptimeMs, ...(oomKill && { oomKill }) }),
        onRemains: (pids) => tell({ _tag: "Remaining", epoch, pids }),
        onSeen: (all) => Effect.sync(() => void (seen = all))
      })
      .pipe(
        Effect.exit,
        Effect.flatMap((exit) => {
          const failure = exit._tag === "Failure" ? Cause.failureOption(exit.cause) : undefined
          if (failure?._tag === "Some") {
            const { message: because } = failure.value
            return Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
              tell({ _tag: "CannotStart", epoch, because, nowMs })
            )
          }
          const isDefect = exit._tag === "Failure" && !Cause.isInterruptedOnly(exit.cause)
          return Effect.zipRight(
            isDefect
              ? Effect.logError("The supervision of a worker failed by a defect", exit.cause)
              : Effect.void,
            Effect.suspend(() => tell({ _tag: "Down", epoch, seen }))
          )
        }),
        // Only the life inside can be interrupted, so that the report of its end always comes.
        Effect.uninterruptible,
        Effect.forkIn(scope)
      )
    life = { id, plan, fiber, hasten, started }
  })

  return {
    spawn,
    end: Effect.suspend(() =>
      life === undefined ? Effect.void : Effect.asVoid(Fiber.interruptFork(life.fiber))
    ),
    hasten: Effect.suspend(() =>
      life === undefined ? Effect.void : Effect.asVoid(Deferred.succeed(life.hasten, undefined))
    ),
    endLeftovers: Effect.suspend(() => {
      const onRemains = (pids: ReadonlyArray<number>) =>
        events.publish({ _tag: "RemainsFound", project, pids })
      return Effect.forkIn(lives.endLeftovers(planNow(), Deferred.await(abandon), onRemains), scope)
    }).pipe(Effect.asVoid),
    look: () =>
      life === undefined ? undefined : { id: life.id, plan: life.plan, startedNanos: life.started.nanos }
  } satisfies CurrentLife
})
