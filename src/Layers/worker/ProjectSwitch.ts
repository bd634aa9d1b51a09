import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ProjectName } from "../../Domain/Project.ts"
import { listed } from "../../Domain/text/Words.ts"
import type { CommandAnswer, ProjectActor } from "./ProjectActor.ts"
import { Supervisor, type UnknownProject } from "./Supervisor.ts"

/** Goes from one project to another without a restart of the daemon. */
export class ProjectSwitch extends Context.Tag("ProjectSwitch")<
  ProjectSwitch,
  {
    /**
     * Selects a project and starts its worker. The worker selected before is stopped first, unless `keep`: both may
     * work in one folder, so the other starts only when that one's last process is gone. Answers at once.
     */
    readonly to: (
      project: ProjectName,
      options: { readonly keep: boolean }
    ) => Effect.Effect<CommandAnswer, UnknownProject>
  }
>() {}

/** Beyond the grace: the kill, and what the verification takes on a busy machine. */
const afterGraceMs = 10_000

const make = Effect.gen(function* () {
  const supervisor = yield* Supervisor
  const scope = yield* Effect.scope
  /** Whom a switch has stopped: a later switch waits for those, too, that still end. */
  const left = new Map<ProjectName, ProjectActor>()

  const stillEnding = Effect.fnUntraced(function* (next: ProjectName) {
    const all = yield* Effect.forEach([...left.values()], (actor) =>
      Effect.map(actor.snapshot, ({ plan, state }) => ({
        actor,
        plan,
        isEnding: state.phase._tag === "Stopping"
      }))
    )
    for (const { isEnding, plan } of all) if (!isEnding) left.delete(plan.project)
    return all.filter(({ isEnding, plan }) => isEnding && plan.project !== next)
  })

  /** Stops the one selected before, and says how the answer begins. */
  const leave = Effect.fnUntraced(function* (before: ProjectName, next: ProjectName, keep: boolean) {
    if (before === next || keep) return `Selected ${next}`
    const actor = yield* supervisor.project(before)
    left.set(before, actor)
    yield* actor.command("stop")
    return `Switched from ${before} to ${next}`
  })

  return ProjectSwitch.of({
    to: Effect.fnUntraced(function* (project, { keep }) {
      const before = yield* supervisor.selected
      const next = yield* supervisor.project(project)
      yield* supervisor.select(project)
      const head = yield* leave(before, project, keep)
      const ending = yield* stillEnding(project)
      if (ending.length === 0) {
        const { message, success } = yield* next.command("start")
        return { success, message: `${head}. ${message}` }
      }
      const because = `the worker of ${listed(ending.map(({ plan }) => plan.project))} is being stopped first`
      const graceMs = Math.max(...ending.map(({ plan }) => plan.graceMs))
      const untilMs = (yield* Clock.currentTimeMillis) + graceMs + afterGraceMs
      const { message, success } = yield* next.command("start", { because, untilMs })
      const settled = Effect.forEach(ending, ({ actor }) => actor.settled, { concurrency: "unbounded" })
      yield* Effect.forkIn(Effect.zipRight(settled, next.release(because)), scope)
      return { success, message: `${head}. ${message}` }
    })
  })
})

export const layer: Layer.Layer<ProjectSwitch, never, Supervisor> = Layer.scoped(ProjectSwitch, make)
