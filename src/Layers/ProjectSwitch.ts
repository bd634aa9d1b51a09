import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ProjectName } from "../Domain/Project.ts"
import type { CommandAnswer } from "./ProjectActor.ts"
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
  return ProjectSwitch.of({
    to: Effect.fnUntraced(function* (project, { keep }) {
      const before = yield* supervisor.selected
      const next = yield* supervisor.project(project)
      yield* supervisor.select(project)
      if (before === project || keep) {
        const { message, success } = yield* next.command("start")
        return { success, message: `Selected ${project}. ${message}` }
      }
      const last = yield* supervisor.project(before)
      yield* last.command("stop")
      const { plan, state } = yield* last.snapshot
      if (state.phase._tag !== "Stopping") {
        const { message, success } = yield* next.command("start")
        return { success, message: `Switched from ${before} to ${project}. ${message}` }
      }
      const because = `the worker of ${before} is being stopped first`
      const untilMs = (yield* Clock.currentTimeMillis) + plan.graceMs + afterGraceMs
      const { message, success } = yield* next.command("start", { because, untilMs })
      yield* Effect.forkIn(Effect.zipRight(last.settled, next.release(because)), scope)
      return { success, message: `Switching from ${before} to ${project}. ${message}` }
    })
  })
})

export const layer: Layer.Layer<ProjectSwitch, never, Supervisor> = Layer.scoped(ProjectSwitch, make)
