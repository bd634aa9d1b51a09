import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { ProjectName } from "../../Domain/Project.ts"
import { Survivor } from "../../Domain/worker/Survivor.ts"
import { replaceFile } from "../files/AtomicFile.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"

/** A project's state file could not be read, understood or written. */
export class ProjectStateError extends Data.TaggedError("ProjectStateError")<{
  readonly path: string
  readonly reason: string
}> {
  override get message() {
    return `${this.path}: ${this.reason}`
  }
}

/** What of each project outlives the daemon, one file a project. */
export class ProjectState extends Context.Tag("ProjectState")<
  ProjectState,
  {
    /** The state as last saved; undefined when there is none yet. */
    readonly load: (project: ProjectName) => Effect.Effect<Survivor | undefined, ProjectStateError>
    /** On disk, whole, when it returns: a crash leaves the old state or the new one. */
    readonly save: (project: ProjectName, survivor: Survivor) => Effect.Effect<void, ProjectStateError>
  }
>() {}

const Stored = Schema.parseJson(Survivor)
const decode = Schema.decodeEither(Stored)
const encode = Schema.encodeSync(Stored)

export const layer: Layer.Layer<ProjectState, never, AutopilotHome> = Layer.effect(
  ProjectState,
  Effect.gen(function* () {
    const { stateDir } = yield* AutopilotHome
    const turns = new Map<ProjectName, Effect.Semaphore>()
    const turnOf = (project: ProjectName): Effect.Semaphore => {
      const turn = turns.get(project) ?? Effect.unsafeMakeSemaphore(1)
      turns.set(project, turn)
      return turn
    }
    const pathOf = (project: ProjectName) => join(stateDir, `${project}.json`)
    const attempt = <A>(path: string, act: () => Promise<A>) =>
      Effect.tryPromise({
        try: act,
        catch: (cause) =>
          new ProjectStateError({ path, reason: cause instanceof Error ? cause.message : String(cause) })
      })
    return {
      load: Effect.fnUntraced(function* (project) {
        const path = pathOf(project)
        const text = yield* attempt(path, () =>
          fs.readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
            if (cause.code === "ENOENT") return undefined
            throw cause
          })
        )
        if (text === undefined) return undefined
        return yield* Effect.mapError(
          decode(text),
          () => new ProjectStateError({ path, reason: "it is not a state this version has written" })
        )
      }),
      save: (project, survivor) => {
        const path = pathOf(project)
        return attempt(path, () => replaceFile(path, `${encode(survivor)}\n`)).pipe(
          // A write that hangs cannot be taken back, so it is finished before the next one begins.
          Effect.uninterruptible,
          turnOf(project).withPermits(1),
          // Whoever waits for it may go on.
          Effect.disconnect
        )
      }
    }
  })
)
