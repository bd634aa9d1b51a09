import * as fs from "node:fs/promises"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { runningFor } from "../concurrency/Listeners.ts"
import { askDisk } from "../files/PathQuestions.ts"
import { errorCode } from "../files/SystemError.ts"
import { readSmallFile } from "../files/TextFile.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import { SettingsReload } from "./SettingsReload.ts"

/** One stat(2) costs some microseconds, and works where inotify does not: behind symbolic links, on network disks. */
const pollInterval = "1 second"

/**
 * A file that removes projects must stay as it is for this time before their workers are stopped: a program that writes it in
 * steps may have written half of the projects so far.
 */
const removalDelay = Duration.seconds(10)

/** Differs between any two versions of a file. Symbolic links are followed. */
const versionAt = (path: string): Effect.Effect<string> =>
  askDisk(
    path,
    path,
    Effect.promise(() =>
      fs.stat(path, { bigint: true }).then(
        ({ ctimeNs, dev, ino, mtimeNs, size }) => [dev, ino, size, mtimeNs, ctimeNs].join(),
        (cause: unknown) => errorCode(cause) ?? "unreadable"
      )
    )
  ).pipe(Effect.catchTag("SilentDisk", ({ _tag }) => Effect.succeed(_tag)))

/** Acts on each version of a file that has lasted for one interval: an editor may write in several steps. */
const onSettled = Effect.fnUntraced(function* (
  path: string,
  act: (version: string) => Effect.Effect<unknown>
): Effect.fn.Return<never> {
  let before: string | undefined
  let settled: string | undefined
  for (;;) {
    const version = yield* versionAt(path)
    if (version === before && version !== settled) {
      settled = version
      yield* act(version)
    }
    before = version
    yield* Effect.sleep(pollInterval)
  }
})

/** Reloads the settings when their file has changed, while `watch_config` is on. It restarts no worker. */
export const layer: Layer.Layer<never, never, Concerns | DaemonEvents | SettingsInForce | SettingsReload> =
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const { changed, now } = yield* SettingsInForce
      const { reload, removals } = yield* SettingsReload
      const events = yield* DaemonEvents
      const concerns = yield* Concerns

      const isInForce = Effect.suspend(() => {
        const { found, path, text } = now().settingsFile
        return Effect.match(readSmallFile(path), {
          onFailure: ({ absent }) => absent && !found,
          onSuccess: (small) => found && Buffer.from(text).equals(small.bytes)
        })
      })
      // The reload stands behind a queue: it may switch `watch_config` off, which must not interrupt it.
      const settled = yield* Queue.sliding<string>(1)
      const watching = runningFor(changed, {
        now: () => now().watchConfig,
        isSame: (one, other) => one === other,
        run: (isWanted) =>
          isWanted
            ? onSettled(now().settingsFile.path, (version) => Queue.offer(settled, version))
            : Effect.never
      })
      // A file that is refused has been reported as an event; its next version may be right.
      const takeOver = Effect.ignore(reload({ by: "the file has changed", restart: false }))
      const onVersion = Effect.fnUntraced(function* (version: string) {
        if (yield* isInForce) return
        const projects = yield* removals
        if (projects.length > 0) {
          yield* events.publish({ _tag: "RemovalAwaited", projects, forMs: Duration.toMillis(removalDelay) })
          yield* Effect.sleep(removalDelay)
          // Another version by now: the poll finds it, once it has settled.
          if ((yield* versionAt(now().settingsFile.path)) !== version) return
          if (yield* isInForce) return
        }
        yield* takeOver
      })
      const taking = Effect.forever(Effect.flatMap(Queue.take(settled), onVersion))
      yield* concerns.run("settings watch", Effect.all([watching, taking], { concurrency: "unbounded" }))
    })
  )
