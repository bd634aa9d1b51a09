import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ProjectName } from "../../Domain/Project.ts"
import { listed } from "../../Domain/text/TextLayout.ts"
import type { CommandAnswer } from "./CommandAnswers.ts"
import type { ProjectActor } from "./ProjectActor.ts"
import { Supervisor, type UnknownProject } from "./Supervisor.ts"

/** Switches to another project while the daemon runs. */
export class ProjectSwitch extends Context.Tag("ProjectSwitch")<
  ProjectSwitch,
  {
    /**
     * Selects a project and starts its worker. Unless `keep`, it first stops the worker selected before: both may work
     * in the same folder, so the new one starts once the last process of the other is gone. Answers at once.
     */
    readonly to: (
      project: ProjectName,
      options: { readonly keep: boolean }
    ) => Effect.Effect<CommandAnswer, UnknownProject>
  }
>() {}

/** After the grace period: the time for the kill and its verification on a busy machine. */
const afterGraceMs = 10_000

const make = Effect.gen(function* () {
  const supervisor = yield* Supervisor
  const scope = yield* Effect.scope
  /** Workers that a switch has stopped: a later switch waits for them too. */
  const stopped = new Map<ProjectName, ProjectActor>()

  const stillStopping = Effect.fnUntraced(function* (next: ProjectName) {
    const all = yield* Effect.forEach([...stopped.values()], (actor) =>
      Effect.map(actor.snapshot, ({ plan, state }) => ({
        actor,
        plan,
        isStopping: state.phase._tag === "Stopping"
      }))
    )
    for (const { isStopping, plan } of all) if (!isStopping) stopped.delete(plan.project)
    return all.filter(({ isStopping, plan }) => isStopping && plan.project !== next)
  })

  /** Stops the worker selected before. Returns the beginning of the answer. */
  const leave = Effect.fnUntraced(function* (before: ProjectName, next: ProjectName, keep: boolean) {
    if (before === next || keep) return `Selected ${next}`
    const actor = yield* supervisor.project(before)
    stopped.set(before, actor)
    yield* actor.command("stop")
    return `Switched from ${before} to ${next}`
  })

  return ProjectSwitch.of({
    to: Effect.fnUntraced(function* (project, { keep }) {
      const before = supervisor.selected()
      const next = yield* supervisor.project(project)
      yield* supervisor.select(project)
      const head = yield* leave(before, project, keep)
      const stopping = yield* stillStopping(project)
      if (stopping.length === 0) {
        const { message, success } = yield* next.command("start")
        return { success, message: `${head}. ${message}` }
      }
      const because = `the worker of ${listed(stopping.map(({ plan }) => plan.project))} is being stopped first`
      const graceMs = Math.max(...stopping.map(({ plan }) => plan.graceMs))
      const untilMs = (yield* Clock.currentTimeMillis) + graceMs + afterGraceMs
      const { message, success } = yield* next.command("start", { because, untilMs })
      const settled = Effect.forEach(stopping, ({ actor }) => actor.settled, { concurrency: "unbounded" })
      yield* Effect.forkIn(Effect.zipRight(settled, next.release(because)), scope)
      return { success, message: `${head}. ${message}` }
    })
  })
})

export const layer: Layer.Layer<ProjectSwitch, never, Supervisor> = Layer.scoped(ProjectSwitch, make)
