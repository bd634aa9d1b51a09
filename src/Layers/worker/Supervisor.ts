import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { ProjectName } from "../../Domain/Project.ts"
import type { ProjectPlan, ProjectPlans } from "../../Domain/worker/ProjectPlan.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { WorkerLog } from "../logs/WorkerLog.ts"
import { make, type ProjectActor, type ProjectSnapshot } from "./ProjectActor.ts"
import { SelectedProject } from "./SelectedProject.ts"
import { StateStore } from "./StateStore.ts"
import { WorkerLife } from "./WorkerLife.ts"

/** A project was named that this daemon does not supervise. */
export class UnknownProject extends Data.TaggedError("UnknownProject")<{
  readonly project: string
  readonly known: ReadonlyArray<string>
}> {
  override get message() {
    return `There is no project "${this.project}" here. The projects are: ${this.known.join(", ")}.`
  }
}

/** All projects' workers, each owned by an actor of its own: what happens to one holds up no other. */
export class Supervisor extends Context.Tag("Supervisor")<
  Supervisor,
  {
    /** The actor of a project, or of the selected one when none is named. */
    readonly project: (name: ProjectName | undefined) => Effect.Effect<ProjectActor, UnknownProject>
    /** Starts what is to be started: called when the daemon can be asked about it. */
    readonly begin: Effect.Effect<void>
    readonly snapshots: Effect.Effect<ReadonlyArray<ProjectSnapshot>>
    readonly selected: Effect.Effect<ProjectName>
    /** From now on commands that name no project mean this one. Its worker is not touched, nor is the other one's. */
    readonly select: (name: ProjectName) => Effect.Effect<void, UnknownProject>
    /**
     * The projects are these from now on. Those that are new begin as at a start of the daemon, those that are gone
     * end in the background, the others go on with their new plan.
     */
    readonly apply: (plans: ProjectPlans) => Effect.Effect<void>
    /** Returns when every project's actor has come by its mailbox: none of them is hung. */
    readonly turn: Effect.Effect<void>
    /**
     * Ends all workers at once and starts nothing more. Returns the pids that could not be ended. Called again while
     * it works it cuts the grace short.
     */
    readonly drain: Effect.Effect<ReadonlyArray<number>>
  }
>() {}

export interface SupervisorOptions {
  readonly projects: ProjectPlans
  /** Selected by whoever starts the daemon; else the selection of the last daemon holds. */
  readonly selected?: ProjectName | undefined
  /** Take up where the last daemon ended instead of starting afresh. */
  readonly keepState: boolean
}

interface Supervised {
  readonly actor: ProjectActor
  readonly scope: Scope.CloseableScope
  isLeaving: boolean
}

const shuttingDown = "the daemon is shutting down"
const removed = "the project was removed from the settings"

const supervise = Effect.fnUntraced(function* (options: SupervisorOptions) {
  const events = yield* DaemonEvents
  const selection = yield* SelectedProject
  const runtime = yield* Effect.context<WorkerLife | WorkerLog | StateStore | DaemonEvents | Concerns>()
  const gate = yield* Effect.makeLatch(false)
  const turn = yield* Effect.makeSemaphore(1)
  // Their workers end side by side, so that all take one grace together, also when nobody has drained before.
  const scope = yield* Effect.acquireRelease(Scope.make(ExecutionStrategy.parallel), Scope.close)
  const supervised = new Map<ProjectName, Supervised>()
  let plans = options.projects
  let isEnding = false
  let chosen = options.selected ?? (yield* selection.load)
  if (options.selected !== undefined) yield* selection.save(options.selected)

  const selected = () => plans.find(({ project }) => project === chosen)?.project ?? plans[0].project

  const add = Effect.fnUntraced(function* (plan: ProjectPlan, keepState: boolean, starts: boolean) {
    const own = yield* Scope.fork(scope, ExecutionStrategy.sequential)
    const actor = yield* make(plan, { keepState, starts, begin: gate.await }).pipe(
      Scope.extend(own),
      // After it, because what was captured has a scope in it too.
      Effect.provide(runtime)
    )
    supervised.set(plan.project, { actor, scope: own, isLeaving: false })
  })

  /** Ends it, however long its grace is; if it has come back meanwhile, it begins anew only then. */
  const remove = Effect.fnUntraced(function* (project: ProjectName, { actor, scope: own }: Supervised) {
    const leftBehind = yield* actor.drain(removed)
    yield* Scope.close(own, Exit.void)
    yield* turn.withPermits(1)(
      Effect.gen(function* () {
        supervised.delete(project)
        // The end of the daemon tells of all.
        if (!isEnding) yield* events.publish({ _tag: "ProjectRemoved", project, leftBehind })
        const again = plans.find((plan) => plan.project === project)
        if (again !== undefined && !isEnding) yield* appear(again)
      })
    )
  })

  const appear = Effect.fnUntraced(function* (plan: ProjectPlan) {
    yield* add(plan, true, plan.autostart)
    yield* events.publish({ _tag: "ProjectAdded", project: plan.project })
  })

  for (const plan of plans) {
    // A person who starts the daemon wants the project that was selected, whatever is started by itself.
    const starts = plan.autostart || (!options.keepState && plan.project === chosen)
    yield* add(plan, options.keepState, starts)
  }

  return Supervisor.of({
    begin: Effect.asVoid(gate.open),
    project: (name) => {
      const found = supervised.get(name ?? selected())
      return found === undefined
        ? new UnknownProject({ project: name ?? selected(), known: plans.map(({ project }) => project) })
        : Effect.succeed(found.actor)
    },
    snapshots: Effect.suspend(() => {
      const order = [...new Set([...plans.map(({ project }) => project), ...supervised.keys()])]
      const known = order.flatMap((project) => supervised.get(project) ?? [])
      return Effect.forEach(known, ({ actor }) => actor.snapshot)
    }),
    selected: Effect.sync(selected),
    select: Effect.fnUntraced(function* (name) {
      const before = selected()
      if (!plans.some(({ project }) => project === name)) {
        return yield* new UnknownProject({ project: name, known: plans.map(({ project }) => project) })
      }
      chosen = name
      yield* selection.save(name)
      if (name !== before) yield* events.publish({ _tag: "ProjectSelected", project: name, before })
    }),
    apply: (next) =>
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
          if (entry === undefined) yield* appear(plan)
          else if (!entry.isLeaving) yield* entry.actor.replan(plan)
        }
      }).pipe(turn.withPermits(1)),
    turn: Effect.suspend(() =>
      Effect.forEach([...supervised.values()], ({ actor }) => actor.turn, {
        concurrency: "unbounded",
        discard: true
      })
    ),
    drain: Effect.gen(function* () {
      isEnding = true
      // What is being added is there when the permit is.
      yield* turn.withPermits(1)(Effect.void)
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
  WorkerLife | WorkerLog | StateStore | SelectedProject | DaemonEvents | Concerns
> => Layer.scoped(Supervisor, supervise(options))
