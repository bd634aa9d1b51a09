import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ProjectName } from "../Domain/Project.ts"
import { Concerns } from "./Concerns.ts"
import { DaemonEvents } from "./DaemonEvents.ts"
import { make, type ProjectActor, type ProjectPlan, type ProjectSnapshot } from "./ProjectActor.ts"
import { ProjectState } from "./ProjectState.ts"
import { WorkerLife } from "./WorkerLife.ts"
import { WorkerLog } from "./WorkerLog.ts"

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
    /**
     * Ends all workers at once and starts nothing more. Returns the pids that could not be ended. Called again while
     * it works it cuts the grace short.
     */
    readonly drain: Effect.Effect<ReadonlyArray<number>>
  }
>() {}

export interface SupervisorOptions {
  /** The first is the selected one. */
  readonly projects: readonly [ProjectPlan, ...ReadonlyArray<ProjectPlan>]
  /** Take up where the last daemon ended instead of starting afresh. */
  readonly keepState: boolean
}

export const layer = (
  options: SupervisorOptions
): Layer.Layer<Supervisor, never, WorkerLife | WorkerLog | ProjectState | DaemonEvents | Concerns> =>
  Layer.scoped(
    Supervisor,
    Effect.gen(function* () {
      const selected = options.projects[0].project
      const gate = yield* Effect.makeLatch(false)
      const actors = new Map<string, ProjectActor>()
      for (const plan of options.projects) {
        actors.set(plan.project, yield* make(plan, { keepState: options.keepState, begin: gate.await }))
      }
      return {
        begin: Effect.asVoid(gate.open),
        project: (name = selected) => {
          const actor = actors.get(name)
          return actor === undefined
            ? new UnknownProject({ project: name, known: [...actors.keys()] })
            : Effect.succeed(actor)
        },
        snapshots: Effect.suspend(() => Effect.forEach(actors.values(), (actor) => actor.snapshot)),
        drain: Effect.suspend(() =>
          Effect.forEach(actors.values(), (actor) => actor.drain, { concurrency: "unbounded" })
        ).pipe(Effect.map((left) => left.flat()))
      }
    })
  )
