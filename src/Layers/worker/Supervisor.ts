import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { ProjectName } from "../../Domain/Project.ts"
import { leftBehind, type Survivor } from "../../Domain/tree/Survivor.ts"
import type { ProjectPlan, ProjectPlans } from "../../Domain/worker/ProjectPlan.ts"
import { makeMutex } from "../concurrency/Mutex.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { WorkerLog } from "../logs/WorkerLog.ts"
import * as DaySpending from "./DaySpending.ts"
import * as LoginLimits from "./LoginLimits.ts"
import type { Logins } from "./Logins.ts"
import { make, type ProjectActor, type ProjectSnapshot } from "./ProjectActor.ts"
import { SelectedProject } from "./SelectedProject.ts"
import { StateStore } from "./StateStore.ts"
import { WorkerRun } from "./WorkerRun.ts"

/** A command named a project that this daemon does not supervise. */
export class UnknownProject extends Data.TaggedError("UnknownProject")<{
  readonly project: string
  readonly known: ReadonlyArray<string>
}> {
  override get message() {
    return `There is no project "${this.project}" here. The projects are: ${this.known.join(", ")}.`
  }
}

/** The actors of all projects. No project delays another. */
export class Supervisor extends Context.Tag("Supervisor")<
  Supervisor,
  {
    /** The actor of a project; undefined means the selected one. */
    readonly project: (name: ProjectName | undefined) => Either.Either<ProjectActor, UnknownProject>
    /** Starts the workers. Call it once the control socket listens. */
    readonly begin: Effect.Effect<void>
    readonly snapshots: Effect.Effect<ReadonlyArray<ProjectSnapshot>>
    /** The same in plain code, for answers that need no fiber. */
    readonly look: (clock: Clock.Clock) => ReadonlyArray<ProjectSnapshot>
    readonly selected: () => ProjectName
    /** Selects the project that commands without --project apply to. No worker starts or stops. */
    readonly select: (name: ProjectName) => Effect.Effect<void, UnknownProject>
    /**
     * Applies changed settings: adds new projects, drains removed ones in the background, replans the others. `started`
     * is a project that a user starts by adding it: what is saved of an earlier one of its name does not hold it.
     */
    readonly apply: (plans: ProjectPlans, started?: ProjectName) => Effect.Effect<void>
    /** Liveness probe: returns when every actor has read its inbox. */
    readonly probe: Effect.Effect<void>
    /**
     * Stops all workers at once and starts nothing more. Returns the processes that survived SIGKILL. A second call ends the
     * grace period.
     */
    readonly drain: Effect.Effect<ReadonlyArray<Survivor>>
  }
>() {}

export interface SupervisorOptions {
  readonly projects: ProjectPlans
  /** The project that the command line selects; without one the saved selection applies. */
  readonly selected?: ProjectName | undefined
  /** Resume the saved states instead of starting afresh. */
  readonly keepState: boolean
}

interface Supervised {
  readonly actor: ProjectActor
  readonly scope: Scope.CloseableScope
  isLeaving: boolean
}

const shuttingDown = "the daemon is shutting down"
const removed = "the project was removed from the settings"

/** Supervises projects until the scope closes. */
export const supervise = Effect.fnUntraced(function* (options: SupervisorOptions) {
  const events = yield* DaemonEvents
  const selection = yield* SelectedProject
  const runtime = yield* Effect.context<WorkerRun | WorkerLog | StateStore | DaemonEvents | Concerns>()
  const gate = yield* Effect.makeLatch(false)
  const inTurn = makeMutex()
  // In parallel: all workers share one grace period, even when a bug skipped the drain.
  const spending = DaySpending.make()
  const limits = yield* LoginLimits.make(!options.keepState)
  const scope = yield* Effect.acquireRelease(Scope.make(ExecutionStrategy.parallel), Scope.close)
  const supervised = new Map<ProjectName, Supervised>()
  let plans = options.projects
  let isEnding = false
  let chosen = options.selected ?? (yield* selection.load)
  if (options.selected !== undefined) yield* selection.save(options.selected)

  const selected = () => plans.find(({ project }) => project === chosen)?.project ?? plans[0].project

  const add = Effect.fnUntraced(function* (plan: ProjectPlan, keepState: boolean, starts: boolean) {
    const own = yield* Scope.fork(scope, ExecutionStrategy.sequential)
    const actor = yield* make(plan, { keepState, starts, begin: gate.await, spending, limits }).pipe(
      Scope.extend(own),
      // After `extend`, because the captured context also holds a scope.
      Effect.provide(runtime)
    )
    supervised.set(plan.project, { actor, scope: own, isLeaving: false })
  })

  /** Drains a project. If the settings have added it again meanwhile, it starts once the old worker is gone. */
  const remove = Effect.fnUntraced(function* (project: ProjectName, { actor, scope: own }: Supervised) {
    const survivors = yield* actor.drain(removed)
    yield* Scope.close(own, Exit.void)
    yield* inTurn(
      Effect.gen(function* () {
        supervised.delete(project)
        if (!isEnding) yield* events.publish({ _tag: "ProjectRemoved", project, ...leftBehind(survivors) })
        const again = plans.find((plan) => plan.project === project)
        if (again !== undefined && !isEnding) yield* appear(again)
      })
    )
  })

  const appear = Effect.fnUntraced(function* (plan: ProjectPlan, byUser = false) {
    yield* add(plan, !byUser, byUser || plan.autostart)
    yield* events.publish({
      _tag: "ProjectAdded",
      project: plan.project,
      ...(byUser && { by: "autopilotd run" })
    })
  })

  for (const plan of plans) {
    // A user who starts the daemon wants the selected project, even without autostart.
    const starts = plan.autostart || (!options.keepState && plan.project === chosen)
    yield* add(plan, options.keepState, starts)
  }

  const look = (clock: Clock.Clock) => {
    const order = new Set([...plans.map(({ project }) => project), ...supervised.keys()])
    return [...order].flatMap((project) => supervised.get(project)?.actor.look(clock) ?? [])
  }

  return Supervisor.of({
    begin: Effect.asVoid(gate.open),
    project: (name) => {
      const found = supervised.get(name ?? selected())
      return found === undefined
        ? Either.left(
            new UnknownProject({ project: name ?? selected(), known: plans.map(({ project }) => project) })
          )
        : Either.right(found.actor)
    },
    snapshots: Effect.map(Effect.clock, look),
    look,
    selected,
    select: Effect.fnUntraced(function* (name) {
      const before = selected()
      if (!plans.some(({ project }) => project === name)) {
        return yield* new UnknownProject({ project: name, known: plans.map(({ project }) => project) })
      }
      chosen = name
      yield* selection.save(name)
      if (name !== before) yield* events.publish({ _tag: "ProjectSelected", project: name, before })
    }),
    apply: (next, started) =>
      Effect.gen(function* () {
        if (isEnding) return
        const before = selected()
        plans = next
        if (selected() !== before)
          yield* events.publish({ _tag: "ProjectSelected", project: selected(), before })
        for (const [project, entry] of supervised) {
          if (entry.isLeaving || next.some((plan) => plan.project === project)) continue
          entry.isLeaving = true
          yield* Effect.forkIn(remove(project, entry), scope)
        }
        for (const plan of next) {
          const entry = supervised.get(plan.project)
          if (entry === undefined) yield* appear(plan, plan.project === started)
          else if (!entry.isLeaving) yield* entry.actor.replan(plan)
        }
      }).pipe(inTurn),
    probe: Effect.suspend(() =>
      Effect.forEach([...supervised.values()], ({ actor }) => actor.probe, {
        concurrency: "unbounded",
        discard: true
      })
    ),
    drain: Effect.gen(function* () {
      isEnding = true
      // Waits for a project that is being added.
      yield* inTurn(Effect.void)
      const ends = [...supervised.values()].map(({ actor }) => actor.drain(shuttingDown))
      return (yield* Effect.all(ends, { concurrency: "unbounded" })).flat()
    })
  })
})

export const layer = (
  options: SupervisorOptions
): Layer.Layer<
  Supervisor,
  never,
  WorkerRun | WorkerLog | StateStore | SelectedProject | Logins | DaemonEvents | Concerns
> => Layer.scoped(Supervisor, supervise(options))
