import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { ProjectName } from "../../Domain/Project.ts"
import { Survivor } from "../../Domain/worker/Survivor.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { ProjectState } from "./ProjectState.ts"

/** What of one project outlives the daemon. A disk that does not do its part is told, and stops nothing. */
export interface SavedState {
  /** What the last daemon left; undefined when there is nothing, or nothing that can be understood. */
  readonly load: Effect.Effect<Survivor | undefined>
  /** Returns when it is on disk, or when the disk has failed or not answered in time. Nothing is written twice. */
  readonly save: (survivor: Survivor) => Effect.Effect<void>
}

const isSame = Schema.equivalence(Survivor)

/** A save is waited for before its change takes effect, but no longer than this. */
const saveLimit = Duration.seconds(3)

/** The state of a project. Writes that the disk holds up go on in `scope`. */
export const make = Effect.fnUntraced(function* (project: ProjectName, scope: Scope.Scope) {
  const store = yield* ProjectState
  const events = yield* DaemonEvents
  let onDisk: Survivor | undefined
  let diskHangs = false

  const write = (survivor: Survivor) =>
    store.save(project, survivor).pipe(
      Effect.catchAll(({ message }) => {
        // What is on disk is not known any more, so the next change is saved whatever it is.
        onDisk = undefined
        return events.publish({ _tag: "StateNotSaved", project, reason: message })
      }),
      Effect.zipRight(Effect.sync(() => void (diskHangs = false)))
    )

  return {
    load: store.load(project).pipe(
      Effect.catchAll(({ message }) =>
        Effect.as(events.publish({ _tag: "StateUnreadable", project, reason: message }), undefined)
      ),
      Effect.tap((survivor) => Effect.sync(() => void (onDisk = survivor)))
    ),
    save: Effect.fnUntraced(function* (survivor) {
      if (onDisk !== undefined && isSame(survivor, onDisk)) return
      onDisk = survivor
      const writing = yield* Effect.forkIn(write(survivor), scope)
      // Waiting again for a disk that hangs would hold up every command.
      if (diskHangs) return
      const isDone = yield* Effect.map(Effect.timeoutOption(Fiber.join(writing), saveLimit), Option.isSome)
      if (isDone) return
      diskHangs = true
      const reason = `the disk has not answered for ${Duration.format(saveLimit)}`
      yield* events.publish({ _tag: "StateNotSaved", project, reason })
    })
  } satisfies SavedState
})
