import * as fs from "node:fs"
import { basename } from "node:path"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { latchOf, makeListeners, runningFor } from "../concurrency/Listeners.ts"
import { MinuteBeat } from "../concurrency/MinuteBeat.ts"
import { checkDisk } from "../files/PathQuestions.ts"
import { errorCode } from "../files/SystemError.ts"
import { AutopilotHome } from "./AutopilotHome.ts"
import { InstanceLock } from "./InstanceLock.ts"

/**
 * Tells that something in the home folder has changed, by inotify: looks at files that nobody touches would be most of what
 * an idle daemon costs.
 */
export class HomeChanges extends Context.Tag("HomeChanges")<
  HomeChanges,
  {
    /**
     * An effect that returns true after the next change, and false within a minute after what inotify does not see: what
     * another machine does on a network disk, or that a folder above the home was moved. Changes before it count as one.
     */
    readonly subscribe: Effect.Effect<Effect.Effect<boolean>, never, Scope.Scope>
  }
>() {}

/** Where inotify has no room for another watch. */
const withoutWatch = Duration.seconds(2)

/** Watches a folder until the scope closes. False where that is not possible. */
const watched = (
  folder: string,
  onChange: (name?: string) => void
): Effect.Effect<boolean, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      try {
        const watcher = fs.watch(folder, { persistent: false }, (_, name) => onChange(name ?? undefined))
        // The folder is gone: that is a change, and a home that is made again is watched anew.
        watcher.on("error", () => onChange())
        return watcher
      } catch (cause) {
        if (errorCode(cause) === undefined) throw cause
        return undefined
      }
    }),
    (watcher) => Effect.sync(() => watcher?.close())
  ).pipe(Effect.map((watcher) => watcher !== undefined))

export const layer: Layer.Layer<HomeChanges, never, AutopilotHome | InstanceLock | MinuteBeat> = Layer.scoped(
  HomeChanges,
  Effect.gen(function* () {
    const { aliveFile, root, samplesFile, stateDir } = yield* AutopilotHome
    const { isHeldNow, remade } = yield* InstanceLock
    const beat = yield* MinuteBeat
    const changes = makeListeners<[isSeen: boolean]>()
    /** Names that the daemon itself touches once a minute, and makes again where they are missing. */
    const isOwnWork = (name: string) =>
      name === basename(aliveFile) || name.replace(/^\./, "").startsWith(basename(samplesFile))
    let isWatched = false

    const watch = Effect.gen(function* () {
      // inotify_add_watch(2), which Node calls in the event loop, would hang with a disk that does not answer.
      const isThere = yield* Effect.isSuccess(checkDisk(root))
      const onChange = (name = "") => {
        if (!isOwnWork(name)) changes.tell(true)
      }
      isWatched = isThere && (yield* watched(root, onChange)) && (yield* watched(stateDir, onChange))
      return yield* Effect.never
    }).pipe(Effect.scoped)

    const isWatchedHome = { now: () => undefined, isSame: () => false, run: () => watch }
    yield* Effect.forkScoped(runningFor(remade, isWatchedHome))

    // A home that is whole wakes up nobody.
    yield* beat.observe(() => {
      if (!isHeldNow()) changes.tell(false)
    })

    return HomeChanges.of({
      subscribe: Effect.gen(function* () {
        let isChange = false
        const news = yield* latchOf((heard) =>
          changes.listen((isSeen) => {
            isChange ||= isSeen
            heard()
          })
        )
        const next = Effect.gen(function* () {
          yield* news.await
          yield* news.close
          const wasChange = isChange
          isChange = false
          return wasChange
        })
        return Effect.suspend(() =>
          isWatched ? next : Effect.map(Effect.timeoutOption(next, withoutWatch), () => true)
        )
      })
    })
  })
)
