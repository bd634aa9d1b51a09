import * as fs from "node:fs"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
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
    /** An effect that returns after the next change, or after some time without one. Changes before it count as one. */
    readonly subscribe: Effect.Effect<Effect.Effect<void>, never, Scope.Scope>
  }
>() {}

/** inotify does not see what another machine does on a network disk, nor that a folder above the home was moved. */
const longestRest = Duration.seconds(30)

/** Where inotify has no room for another watch. */
const withoutWatch = Duration.seconds(2)

/** Watches a folder until the scope closes. False where that is not possible. */
const watched = (folder: string, onChange: () => void): Effect.Effect<boolean, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      try {
        const watcher = fs.watch(folder, { persistent: false }, onChange)
        // The folder is gone: that is a change, and a home that is made again is watched anew.
        watcher.on("error", onChange)
        return watcher
      } catch (cause) {
        if (errorCode(cause) === undefined) throw cause
        return undefined
      }
    }),
    (watcher) => Effect.sync(() => watcher?.close())
  ).pipe(Effect.map((watcher) => watcher !== undefined))

export const layer: Layer.Layer<HomeChanges, never, AutopilotHome | InstanceLock> = Layer.scoped(
  HomeChanges,
  Effect.gen(function* () {
    const { root, stateDir } = yield* AutopilotHome
    const { remade } = yield* InstanceLock
    const changes = yield* PubSub.sliding<void>(1)
    let rest = withoutWatch

    const watch = Effect.gen(function* () {
      // inotify_add_watch(2), which Node calls in the event loop, would hang with a disk that does not answer.
      const isThere = yield* Effect.isSuccess(checkDisk(root))
      const onChange = () => void changes.unsafeOffer(undefined)
      const both = isThere && (yield* watched(root, onChange)) && (yield* watched(stateDir, onChange))
      rest = both ? longestRest : withoutWatch
      return yield* Effect.never
    }).pipe(Effect.scoped)

    // Begins with the count of now, so that the first home is watched as each that is made again.
    yield* Effect.forkScoped(Stream.runDrain(Stream.flatMap(remade.changes, () => watch, { switch: true })))

    return HomeChanges.of({
      subscribe: Effect.map(PubSub.subscribe(changes), (news) =>
        Effect.suspend(() => Effect.asVoid(Effect.timeoutOption(Queue.take(news), rest)))
      )
    })
  })
)
