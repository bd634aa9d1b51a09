import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { ProjectName } from "../../Domain/Project.ts"
import { textReader } from "../../Domain/Shape.ts"
import { emptyState, isBelievable, type SavedState } from "../../Domain/worker/SavedState.ts"
import { savedStateShape } from "../../Domain/worker/SavedStateShape.ts"
import { savingOf } from "../../Domain/worker/Saving.ts"
import { startedWithin } from "../concurrency/BoundedWait.ts"
import { afterEach } from "../concurrency/Listeners.ts"
import { type Mutex, makeMutex } from "../concurrency/Mutex.ts"
import { PlainTimer } from "../concurrency/PlainTimer.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { InstanceLock } from "../daemon/InstanceLock.ts"
import { overwriteNow, replaceFile } from "../files/AtomicFile.ts"
import { errorCode, messageOf } from "../files/SystemError.ts"
import { readTextFile } from "../files/TextFile.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { restoreLeaderFile } from "../tree/SavedTraces.ts"

/** A project's state file could not be read, understood or written. */
export class StateStoreError extends Data.TaggedError("StateStoreError")<{
  readonly path: string
  readonly reason: string
}> {
  override get message() {
    return `${this.path} ${this.reason}`
  }
}

/** The saved states, one file per project. */
export class StateStore extends Context.Tag("StateStore")<
  StateStore,
  {
    /** Undefined when nothing is saved yet. */
    readonly load: (project: ProjectName) => Effect.Effect<SavedState | undefined, StateStoreError>
    /**
     * Returns when the state is in its file, and on disk where it `isDurable`. A crash leaves the old state or the new one.
     */
    readonly save: (
      project: ProjectName,
      state: SavedState,
      isDurable: boolean
    ) => Effect.Effect<void, StateStoreError>
    /**
     * Saves a state that need not be durable at once, where the home is on a local disk and no other save is under way.
     * Returns whether it is saved; `save` says why not.
     */
    readonly saveNow: (project: ProjectName, state: SavedState) => boolean
  }
>() {}

const stateIn = textReader<SavedState>(savedStateShape)

export const layer: Layer.Layer<StateStore, never, AutopilotHome | InstanceLock> = Layer.scoped(
  StateStore,
  Effect.gen(function* () {
    const home = yield* AutopilotHome
    const { stateDir } = home
    const { holds, isHeldNow, keep, remade } = yield* InstanceLock
    const saved = new Map<ProjectName, SavedState>()
    const turns = new Map<ProjectName, Mutex>()
    const turnOf = (project: ProjectName): Mutex => {
      const turn = turns.get(project) ?? makeMutex()
      turns.set(project, turn)
      return turn
    }
    const pathOf = (project: ProjectName) => join(stateDir, `${project}.json`)
    const attempt = <A>(path: string, act: () => Promise<A>) =>
      Effect.tryPromise({
        try: act,
        catch: (cause) => new StateStoreError({ path, reason: `cannot be written: ${messageOf(cause)}` })
      })
    // A saved state is its own JSON: the type refuses one that would have to be encoded.
    const textOf = (state: typeof SavedState.Encoded) => `${JSON.stringify(state)}\n`
    /** The projects whose file is being written: its content is made already, its name comes last. */
    const writing = new Set<ProjectName>()
    /** Writes the newest state, which may be another than when the write was asked for. */
    const write = (project: ProjectName, isDurable: boolean) => {
      const path = pathOf(project)
      return Effect.acquireUseRelease(
        Effect.sync(() => void writing.add(project)),
        () => attempt(path, () => replaceFile(path, textOf(saved.get(project) ?? emptyState), { isDurable })),
        () => Effect.sync(() => void writing.delete(project))
      ).pipe(
        // A write cannot be interrupted, so it finishes before the next one begins.
        Effect.uninterruptible,
        turnOf(project),
        Effect.tap(() => Effect.sync(() => keep(path)))
      )
    }
    /** Makes room for the next save, also where a folder or a pipe has the name, and keeps what is there for the user. */
    const setAside = (path: string) =>
      Effect.match(
        attempt(path, () => fs.rename(path, `${path}.unreadable`)),
        {
          onFailure: ({ reason }) => `It could not be set aside (${reason})`,
          onSuccess: () => `It is kept as ${path}.unreadable`
        }
      )
    yield* afterEach(
      remade,
      Effect.suspend(() =>
        Effect.forEach([...saved], ([project, { tree }]) => {
          const restored =
            tree === undefined
              ? Effect.void
              : attempt(pathOf(project), () => restoreLeaderFile(home, project, tree))
          return Effect.ignoreLogged(Effect.zipRight(write(project, true), restored))
        })
      )
    )
    return {
      load: Effect.fnUntraced(function* (project) {
        const path = pathOf(project)
        const state = yield* readTextFile(path).pipe(
          Effect.flatMap(({ text }) =>
            Effect.mapError(Effect.filterOrFail(Effect.fromNullable(stateIn(text)), isBelievable), () => ({
              absent: false,
              reason: "is not a state that this version has written"
            }))
          ),
          Effect.catchAll(({ absent, reason }) =>
            absent
              ? Effect.succeed(undefined)
              : Effect.flatMap(
                  setAside(path),
                  (where) => new StateStoreError({ path, reason: `${reason}. ${where}` })
                )
          )
        )
        if (state !== undefined) saved.set(project, state)
        return state
      }),
      save: (project, state, isDurable) =>
        Effect.suspend(() => {
          saved.set(project, state)
          const saving = Effect.gen(function* () {
            if (yield* holds) return yield* write(project, isDurable)
            const reason = "is not written: another daemon has taken this home"
            return yield* new StateStoreError({ path: pathOf(project), reason })
          })
          // The caller may stop waiting.
          return Effect.disconnect(saving)
        }),
      saveNow: (project, state) => {
        if (writing.has(project) || !isHeldNow()) return false
        const path = pathOf(project)
        try {
          if (!overwriteNow(path, textOf(state))) return false
        } catch (cause) {
          if (errorCode(cause) === undefined) throw cause
          return false
        }
        saved.set(project, state)
        keep(path)
        return true
      }
    }
  })
)

/** The saved state of one project. A failing or hanging disk is an event, and blocks nothing. */
interface ProjectState {
  /** The state of the last daemon; undefined without a readable one. */
  readonly load: Effect.Effect<SavedState | undefined>
  /** Saves a change as `Saving` says. Returns when that is done, or the disk has failed or not answered in time. */
  readonly save: (state: SavedState, isStopping: boolean) => Effect.Effect<void>
}

/** The longest delay of a change by its save. */
const saveLimit = Duration.seconds(3)

/** A worker that crashes in a loop causes one durable save in this time, a second. */
const soonMs = 1000

/** Slow writes continue in `scope`. */
export const projectState = Effect.fnUntraced(function* (project: ProjectName, scope: Scope.Scope) {
  const store = yield* StateStore
  const events = yield* DaemonEvents
  const timer = yield* PlainTimer
  const inBackground = yield* Scope.extend(FiberSet.makeRuntime<never>(), scope)
  /** The last state that was saved, or is to be saved soon. */
  let last: SavedState | undefined
  /** Whether it is to be saved once the second is over, and whether one runs. */
  const later = { isDue: false, runs: false }
  let diskHangs = false

  const write = (state: SavedState, isDurable: boolean) =>
    store.save(project, state, isDurable).pipe(
      Effect.catchAll(({ message }) => {
        // The content of the disk is unknown now, so the next change is saved whatever it is.
        last = undefined
        return events.publish({ _tag: "StateNotSaved", project, reason: message })
      }),
      Effect.zipRight(Effect.sync(() => void (diskHangs = false)))
    )

  const writeLater = (): void => {
    later.runs = false
    if (later.isDue && last !== undefined) inBackground(write(last, true))
  }

  return {
    load: store.load(project).pipe(
      Effect.catchAll(({ message }) =>
        Effect.as(events.publish({ _tag: "StateUnreadable", project, reason: message }), undefined)
      ),
      Effect.tap((state) => Effect.sync(() => void (last = state)))
    ),
    save: Effect.fnUntraced(function* (state, isStopping) {
      const how = savingOf(last, state, isStopping)
      if (how === "none") return
      last = state
      later.isDue = how !== "now"
      if (later.isDue && !later.runs) {
        later.runs = true
        timer.after(soonMs, writeLater)
      }
      if (how === "soon") return
      if (how === "quickly" && !diskHangs && store.saveNow(project, state)) return
      const writing = write(state, how === "now")
      // Waiting again for a hanging disk would delay every command.
      if (diskHangs) return void inBackground(writing)
      if (Option.isSome(yield* startedWithin(writing, saveLimit, scope))) return
      diskHangs = true
      const reason = `the disk did not answer within ${Duration.format(saveLimit)}`
      yield* events.publish({ _tag: "StateNotSaved", project, reason })
    })
  } satisfies ProjectState
})
