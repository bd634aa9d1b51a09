import * as fs from "node:fs/promises"
import { dirname, join } from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { FolderWatches, type Place } from "../files/FolderWatches.ts"
import { readSmallFile, sha256Of } from "../files/TextFile.ts"

export interface SettingsWatchOptions {
  /** The hash of the content that is known already; by default, what is there when the stream begins is known. */
  readonly knownSha256?: string
  /**
   * Told in full sentences why changes cannot be watched for; the file is then looked at every 5 seconds. Told again
   * only when watching has worked in between.
   */
  readonly onFallback?: (notice: string) => Effect.Effect<void>
}

/** Notices that the settings file has changed. */
export class SettingsWatch extends Context.Tag("SettingsWatch")<
  SettingsWatch,
  {
    /**
     * An element whenever what stands at an absolute path is not what it was: edited, replaced, made, removed, made
     * unreadable, also behind symbolic links and in a folder that is made later. Several changes may be one element.
     * While nothing happens in the file's folder, nothing is done.
     */
    readonly changes: (path: string, options?: SettingsWatchOptions) => Stream.Stream<void>
  }
>() {}

/** An editor writes in several steps: only when there was none for so long, the file is looked at. */
const quiet = "200 millis"

/** A file that is written all the time is looked at all the same. */
const quietLimit = "2 seconds"

/** Where watching fails. */
const lookInterval = "5 seconds"

/** The kernel's own limit. */
const maxLinks = 40

/**
 * The places on which it depends what stands at a path: each symbolic link on the way, and its end, or the first name
 * that is not there yet. The folders have no link in their paths.
 */
const placesOf = async (path: string): Promise<ReadonlyArray<Place>> => {
  const places: Array<Place> = []
  const parts = (text: string) => text.split("/").filter((part) => part !== "" && part !== ".")
  let folder = "/"
  let ahead = parts(path)
  while (places.length < maxLinks) {
    const [name, ...rest] = ahead
    if (name === undefined) break
    ahead = rest
    if (name === "..") {
      folder = dirname(folder)
      continue
    }
    const here = join(folder, name)
    const link = await fs.readlink(here).catch(() => undefined)
    if (link !== undefined) {
      places.push({ folder, name })
      ahead = [...parts(link), ...rest]
      if (link.startsWith("/")) folder = "/"
      continue
    }
    const isFolder = await fs.stat(here).then(
      (stat) => stat.isDirectory(),
      () => false
    )
    if (!isFolder || rest.length === 0) {
      places.push({ folder, name })
      break
    }
    folder = here
  }
  return places
}

const isSame = (one: ReadonlyArray<Place>, other: ReadonlyArray<Place>): boolean =>
  JSON.stringify(one) === JSON.stringify(other)

/** Watches all that a path depends on. Why that cannot be done, as a sentence, if so. */
const follow = async (path: string, watches: FolderWatches): Promise<string | undefined> => {
  let trouble: string | undefined
  for (let round = 0; round < 3; round++) {
    const places = await placesOf(path)
    trouble = watches.follow(places)
    // What was made after it was looked for and before it was watched for would go unnoticed.
    if (trouble === undefined && isSame(places, await placesOf(path))) return undefined
  }
  return trouble ?? `What ${path} leads to keeps changing.`
}

const absent = "absent"
const empty = sha256Of("")

/** What stands at a path, for comparing: a hash, or why there is none. */
const contentAt = (path: string): Effect.Effect<string> =>
  readSmallFile(path).pipe(
    Effect.map(({ sha256 }) => sha256),
    Effect.catchAll((error) => Effect.succeed(error.absent ? absent : error.reason))
  )

const changes = (path: string, { knownSha256, onFallback }: SettingsWatchOptions = {}): Stream.Stream<void> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      // One wake-up is as good as many.
      const wakeUps = yield* Queue.dropping<void>(1)
      const watches = yield* Effect.acquireRelease(
        Effect.sync(() => new FolderWatches(() => void Queue.unsafeOffer(wakeUps, undefined))),
        (watches) => Effect.sync(() => watches.close())
      )
      let last: string | undefined
      let isWatched = true

      /** Whether the content is another one than at the last look. */
      const look = Effect.gen(function* () {
        // Before the content is read, so that no change after that is missed.
        const trouble = yield* Effect.promise(() => follow(path, watches))
        if (trouble !== undefined && isWatched)
          yield* onFallback?.(`${trouble} ${path} is looked at every ${lookInterval} instead.`) ?? Effect.void
        isWatched = trouble === undefined
        const content = yield* contentAt(path)
        const known = last ?? knownSha256 ?? content
        const isKnown = content === known || (content === absent && last === undefined && known === empty)
        last = content
        return !isKnown
      })

      const settled = Queue.take(wakeUps).pipe(
        Effect.timeoutOption(quiet),
        Effect.repeat({ until: Option.isNone }),
        Effect.timeoutOption(quietLimit)
      )
      const woken = Effect.suspend(() =>
        isWatched
          ? Effect.zipRight(Queue.take(wakeUps), settled)
          : Effect.flatMap(Effect.timeoutOption(Queue.take(wakeUps), lookInterval), (wakeUp) =>
              Option.isSome(wakeUp) ? settled : Effect.void
            )
      )
      const next = Effect.gen(function* () {
        if (last === undefined && (yield* look)) return
        do yield* woken
        while (!(yield* look))
      })
      return Stream.repeatEffect(next)
    })
  )

export const layer: Layer.Layer<SettingsWatch> = Layer.succeed(SettingsWatch, { changes })
