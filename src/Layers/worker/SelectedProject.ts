import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { ProjectName } from "../../Domain/Project.ts"
import { isProjectName } from "../../Domain/ProjectNameRules.ts"
import { afterEach } from "../concurrency/Listeners.ts"
import { makeMutex } from "../concurrency/Mutex.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { InstanceLock } from "../daemon/InstanceLock.ts"
import { replaceFile } from "../files/AtomicFile.ts"
import { messageOf } from "../files/SystemError.ts"
import { readTextFile } from "../files/TextFile.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"

/** The project that commands without --project apply to. Outlives the daemon. */
export class SelectedProject extends Context.Tag("SelectedProject")<
  SelectedProject,
  {
    /** The saved name; undefined without a valid one. The project may no longer exist. */
    readonly load: Effect.Effect<ProjectName | undefined>
    /** Reports a failing disk as an event; the selection then lasts until the daemon stops. */
    readonly save: (project: ProjectName) => Effect.Effect<void>
  }
>() {}

export const layer: Layer.Layer<SelectedProject, never, AutopilotHome | InstanceLock | DaemonEvents> =
  Layer.scoped(
    SelectedProject,
    Effect.gen(function* () {
      const { selectedFile } = yield* AutopilotHome
      const events = yield* DaemonEvents
      const { remade } = yield* InstanceLock
      const inTurn = makeMutex()
      let last: ProjectName | undefined
      const save = (project: ProjectName) =>
        Effect.tryPromise({
          try: () => replaceFile(selectedFile, `${project}\n`),
          catch: messageOf
        }).pipe(
          Effect.catchAll((reason) => events.publish({ _tag: "SelectionNotSaved", project, reason })),
          inTurn
        )
      yield* afterEach(
        remade,
        Effect.suspend(() => (last === undefined ? Effect.void : save(last)))
      )
      return {
        load: readTextFile(selectedFile).pipe(
          Effect.tapError((error) =>
            error.absent ? Effect.void : Effect.logWarning(`The saved selection is ignored: ${error.message}`)
          ),
          Effect.option,
          Effect.map((file) => {
            const name = Option.isSome(file) ? file.value.text.trim() : ""
            last = isProjectName(name) ? name : undefined
            return last
          })
        ),
        save: (project) => {
          last = project
          return save(project)
        }
      }
    })
  )
