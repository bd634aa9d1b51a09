import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Scope from "effect/Scope"
import type { ProcessIdentity } from "../../Domain/machine/ProcessEntry.ts"
import type { Today } from "../../Domain/session/Budget.ts"
import type { RunStart } from "../../Domain/session/RunStart.ts"
import type { Survivor } from "../../Domain/tree/Survivor.ts"
import type { TreeTrace } from "../../Domain/tree/TreeTrace.ts"
import type { RunEvidence } from "../../Domain/verdict/WorkerEnd.ts"
import { remainsFound } from "../../Domain/worker/LifecycleEvent.ts"
import type { ProjectPlan } from "../../Domain/worker/ProjectPlan.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { WorkerLog } from "../logs/WorkerLog.ts"
import type { LoginPart, StartHeld } from "./LoginLimits.ts"
import { WorkerRun } from "./WorkerRun.ts"

/** The current run of a project's worker, or the last one. */
interface CurrentRun {
  /** Starts a run with the current plan, and this beginning. Its reports carry the epoch. */
  readonly spawn: (epoch: number, id: string, begin: RunBeginning, byUser: boolean) => Effect.Effect<void>
  /** Starts to stop the process tree. The run reports `Down` when the tree is gone. */
  readonly end: Effect.Effect<void>
  /** Ends the grace period. */
  readonly hasten: Effect.Effect<void>
  /** Kills leftovers, where no start follows that would. */
  readonly endLeftovers: Effect.Effect<void>
  /** Writes a line of the daemon to the worker's log. */
  readonly note: (text: string) => Effect.Effect<void>
  /** The run with its plan and its start on the monotonic clock; undefined before the first one. */
  readonly current: () =>
    | { readonly id: string; readonly plan: ProjectPlan; readonly startedNanos: bigint | undefined }
    | undefined
  /** The processes that a later daemon must find; undefined while none is known. */
  readonly trace: () => TreeTrace | undefined
}

/** How one run begins. */
type RunBeginning = Extract<RunStart, { _tag: "Run" }>

interface Run {
  readonly id: string
  readonly plan: ProjectPlan
  /** Undefined until the process runs. */
  readonly started: { readonly nanos: bigint | undefined }
  readonly fiber: Fiber.RuntimeFiber<void>
  readonly hasten: Deferred.Deferred<void>
}

const heldOf = ({ awaits, because, untilMs }: StartHeld) => ({ awaits, because, untilMs })

/**
 * The runs of one project's worker, one after the other, which report to `report`. The last one ends with the scope.
 * `earlier` is what an earlier daemon has left.
 */
export const make = Effect.fnUntraced(function* (
  project: ProjectPlan["project"],
  planNow: () => ProjectPlan,
  { mayStart, report }: Pick<LoginPart, "mayStart" | "report">,
  today: Effect.Effect<Today>,
  earlier: TreeTrace | undefined
) {
  const runs = yield* WorkerRun
  const events = yield* DaemonEvents
  const log = yield* (yield* WorkerLog).open(project)
  const abandon = yield* Deferred.make<void>()
  let current: Run | undefined
  let trace = earlier
  if (earlier !== undefined) yield* runs.remember(project, earlier)

  const traceOf = (processes: ReadonlyArray<ProcessIdentity>): TreeTrace => ({
    ...runs.origin,
    processes: processes.map(({ pid, startTicks }) => ({ pid, startTicks }))
  })

  // Runs have a scope of their own: `abandon` must complete before it closes, or a hung process would block the end.
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer((exit) =>
    Effect.zipRight(Deferred.succeed(abandon, undefined), Scope.close(scope, exit))
  )

  const spawn = Effect.fnUntraced(function* (
    epoch: number,
    id: string,
    { argv, continued, prompt, work }: RunBeginning,
    byUser: boolean
  ) {
    const plan = planNow()
    const hasten = Deferred.unsafeMake<void>(FiberId.none)
    const patience = {
      graceMs: Effect.sync(() => planNow().graceMs),
      lingerMs: Effect.sync(() => planNow().agent?.lingerMs ?? 0),
      hasten: Deferred.await(hasten),
      abandon: Deferred.await(abandon)
    }
    const started: { nanos: bigint | undefined } = { nanos: undefined }
    let seen: RunEvidence | undefined
    const onRemains = (survivors: ReadonlyArray<Survivor>) =>
      Effect.suspend(() => {
        trace = traceOf(survivors)
        return report({ _tag: "Remaining", epoch, survivors })
      })
    const run = runs.run({ ...plan, argv, prompt }, id, log, patience, {
      onSpawned: Effect.fnUntraced(function* (leader) {
        const { pid } = leader
        trace = traceOf([leader])
        started.nanos = yield* Clock.currentTimeNanos
        if (continued !== undefined)
          yield* events.publish({
            _tag: "SessionContinued",
            project,
            sessionId: continued,
            inARow: work.resumes
          })
        yield* events.publish({ _tag: "WorkerStarted", project, pid, workerId: id, command: argv })
        yield* report({ _tag: "Spawned", epoch, pid })
      }),
      onExited: (exit, uptimeMs, oomKill) =>
        report({ _tag: "Exited", epoch, exit, uptimeMs, ...(oomKill && { oomKill }) }),
      onRemains,
      onGone: Effect.sync(() => void (trace = undefined)),
      onAgent: Effect.fnUntraced(function* (agent) {
        const nowMs = yield* Clock.currentTimeMillis
        yield* report({ _tag: "Progress", epoch, seen: agent, today: yield* today, nowMs })
      }),
      onEvidence: (all) => Effect.sync(() => void (seen = all))
    })
    const allowed = mayStart(plan, byUser).pipe(
      // A run kills leftovers; without it nothing else would.
      Effect.tapError(() => runs.endLeftovers(plan, patience.hasten, onRemains)),
      Effect.interruptible
    )
    const fiber = yield* Effect.zipRight(allowed, run).pipe(
      Effect.exit,
      Effect.flatMap((exit) => {
        const failure = exit._tag === "Failure" ? Cause.failureOption(exit.cause) : undefined
        if (failure?._tag === "Some") {
          if (failure.value._tag === "StartHeld")
            return report({ _tag: "Held", epoch, ...heldOf(failure.value) })
          const { message: because } = failure.value
          return Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
            report({ _tag: "CannotStart", epoch, because, nowMs })
          )
        }
        const isDefect = exit._tag === "Failure" && !Cause.isInterruptedOnly(exit.cause)
        return Effect.zipRight(
          isDefect
            ? Effect.logError("The supervision of a worker failed with a defect", exit.cause)
            : Effect.void,
          Effect.flatMap(plan.agent === undefined ? Effect.succeed(undefined) : today, (day) =>
            report({ _tag: "Down", epoch, seen, today: day })
          )
        )
      }),
      // Only the run inside is interruptible, so it always reports its end.
      Effect.uninterruptible,
      Effect.forkIn(scope)
    )
    current = { id, plan, fiber, hasten, started }
  })

  return {
    spawn,
    end: Effect.suspend(() =>
      current === undefined ? Effect.void : Effect.asVoid(Fiber.interruptFork(current.fiber))
    ),
    hasten: Effect.suspend(() =>
      current === undefined ? Effect.void : Effect.asVoid(Deferred.succeed(current.hasten, undefined))
    ),
    endLeftovers: Effect.suspend(() => {
      const onRemains = (survivors: ReadonlyArray<Survivor>) =>
        Effect.suspend(() => {
          trace = traceOf(survivors)
          return events.publish(remainsFound(project, survivors))
        })
      return Effect.forkIn(runs.endLeftovers(planNow(), Deferred.await(abandon), onRemains), scope)
    }).pipe(Effect.asVoid),
    note: log.note,
    current: () =>
      current === undefined
        ? undefined
        : { id: current.id, plan: current.plan, startedNanos: current.started.nanos },
    trace: () => trace
  } satisfies CurrentRun
})
