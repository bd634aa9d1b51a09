import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as TestServices from "effect/TestServices"
import { layer, SettingsWatch, type SettingsWatchOptions } from "../../../src/Layers/config/SettingsWatch.ts"
import { sha256Of } from "../../../src/Layers/files/TextFile.ts"
import * as SettingsFile from "../../../src/Layers/settings/SettingsFile.ts"
import { folder, promisesWith, systemError, watchWith } from "../../fixtures/SettingsWriter.ts"
import { eventually } from "../../live/TestDaemon.ts"

/** Undefined where there is no file, or something else. */
const contentOf = (path: string): string | undefined =>
  fs.statSync(path, { throwIfNoEntry: false })?.isFile() === true ? fs.readFileSync(path, "utf8") : undefined

/** What stands in the file at each element of its changes. */
const changesOf = Effect.fnUntraced(function* (path: string, options?: SettingsWatchOptions) {
  const watch = yield* SettingsWatch
  const seen: Array<string | undefined> = []
  yield* Effect.forkScoped(
    Stream.runForEach(watch.changes(path, options), () => Effect.sync(() => void seen.push(contentOf(path))))
  )
  return seen
})

/** The same once it is watched: the first element tells that what is known is not what is there. */
const watched = Effect.fnUntraced(function* (path: string, options?: SettingsWatchOptions) {
  const seen = yield* changesOf(path, { ...options, knownSha256: "another" })
  yield* TestServices.provideLive(
    eventually(
      "it is watched",
      Effect.sync(() => seen.length > 0 || undefined)
    )
  )
  return seen
})

/** Does something, and waits until a change is told after which the file is as expected. */
const noticed = (
  seen: Array<string | undefined>,
  what: string,
  expected: string | undefined,
  act: () => void
) => {
  seen.length = 0
  act()
  return eventually(
    `it is noticed that ${what}`,
    Effect.sync(() => (seen.length > 0 && seen.at(-1) === expected) || undefined)
  )
}

const settings = Effect.gen(function* () {
  const home = yield* folder
  const path = join(home, "daemon.toml")
  fs.writeFileSync(path, "at first")
  return { home, path }
})

/** As editors do it. */
const renamedOver = (path: string, text: string) => {
  fs.writeFileSync(`${path}~`, text)
  fs.renameSync(`${path}~`, path)
}

/** Waits for something in the real world while the clock goes on in such steps. */
const noticedAsTimeGoesOn = (what: string, step: Duration.DurationInput, look: () => boolean) =>
  Effect.gen(function* () {
    const clock = yield* TestClock.testClock()
    yield* TestServices.provideLive(
      eventually(
        what,
        Effect.zipRight(
          clock.adjust(step),
          Effect.sync(() => look() || undefined)
        )
      )
    )
  })

describe("A watch on the settings file", () => {
  it.scopedLive("notices that it is edited, replaced, removed and made", () =>
    Effect.gen(function* () {
      const { path } = yield* settings
      const seen = yield* watched(path)
      yield* noticed(seen, "it was edited in place", "edited", () => fs.writeFileSync(path, "edited"))
      yield* noticed(seen, "it was added to", "edited more", () => fs.appendFileSync(path, " more"))
      yield* noticed(seen, "an editor replaced it", "renamed", () => renamedOver(path, "renamed"))
      yield* noticed(seen, "the new file was edited", "again", () => fs.writeFileSync(path, "again"))
      yield* noticed(seen, "it was removed", undefined, () => fs.rmSync(path))
      // No file and an empty one are not the same where the file was named on the command line.
      yield* noticed(seen, "an empty one was made", "", () => fs.writeFileSync(path, ""))
      yield* noticed(seen, "it was made into a folder", undefined, () => {
        fs.rmSync(path)
        fs.mkdirSync(path)
      })
      yield* noticed(seen, "it is a file again", "file", () => {
        fs.rmdirSync(path)
        fs.writeFileSync(path, "file")
      })
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("notices what this program itself writes", () =>
    Effect.gen(function* () {
      const { path } = yield* settings
      const seen = yield* watched(path)
      const files = yield* SettingsFile.SettingsFile
      seen.length = 0
      yield* files.replace(path, { text: "# new", expectedSha256: sha256Of("at first") })
      yield* eventually(
        "it is noticed",
        Effect.sync(() => seen.includes("# new") || undefined)
      )
    }).pipe(Effect.provide(layer), Effect.provide(SettingsFile.layer))
  )

  it.scopedLive("follows symbolic links: to the file, from folder to folder, and when they are turned", () =>
    Effect.gen(function* () {
      const home = yield* folder
      for (const version of ["one", "two"]) {
        fs.mkdirSync(join(home, "dotfiles", version), { recursive: true })
        fs.writeFileSync(join(home, "dotfiles", version, "settings"), version)
      }
      const turn = (link: string, target: string) => {
        fs.symlinkSync(target, `${link}.new`)
        fs.renameSync(`${link}.new`, link)
      }
      const data = join(home, "data")
      turn(data, "dotfiles/one")
      const path = join(home, "daemon.toml")
      turn(path, join(home, "data/settings"))
      const seen = yield* watched(path)
      const target = (version: string) => join(home, "dotfiles", version, "settings")
      yield* noticed(seen, "the target was edited", "1", () => fs.writeFileSync(target("one"), "1"))
      yield* noticed(seen, "the target was replaced", "2", () => renamedOver(target("one"), "2"))
      yield* noticed(seen, "a link on the way was turned", "two", () =>
        turn(data, "./dotfiles/../dotfiles/two")
      )
      yield* noticed(seen, "the new target was edited", "3", () => fs.writeFileSync(target("two"), "3"))
      yield* noticed(seen, "the last link was turned", "2", () => turn(path, "dotfiles/one/settings"))
      yield* noticed(seen, "its target was removed", undefined, () => fs.rmSync(target("one")))
      yield* noticed(seen, "its target is back", "4", () => fs.writeFileSync(target("one"), "4"))
      yield* noticed(seen, "it is a file now", "file", () => renamedOver(path, "file"))
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive(
    "works for a folder that is made later, removed, made again and put in the place of another",
    () =>
      Effect.gen(function* () {
        const home = yield* folder
        const notices: Array<string> = []
        const path = join(home, "a/b/c/daemon.toml")
        const make = (text: string) => {
          fs.mkdirSync(dirname(path), { recursive: true })
          fs.writeFileSync(path, text)
        }
        const seen = yield* watched(path, {
          onFallback: (notice) => Effect.sync(() => void notices.push(notice))
        })
        yield* noticed(seen, "folder and file were made", "made", () => make("made"))
        yield* noticed(seen, "the file was edited", "edited", () => fs.writeFileSync(path, "edited"))
        yield* noticed(seen, "the folder was removed", undefined, () =>
          fs.rmSync(join(home, "a"), { recursive: true })
        )
        yield* noticed(seen, "the folder was made again", "again", () => make("again"))
        yield* noticed(seen, "the folder was moved away", undefined, () =>
          fs.renameSync(dirname(path), join(home, "away"))
        )
        yield* noticed(seen, "another one was moved there", "other", () => {
          fs.mkdirSync(join(home, "other"))
          fs.writeFileSync(join(home, "other/daemon.toml"), "other")
          fs.renameSync(join(home, "other"), dirname(path))
        })
        yield* noticed(seen, "the file there was edited", "end", () => fs.writeFileSync(path, "end"))
        // All of that without looking every few seconds.
        assert.deepStrictEqual(notices, [])
      }).pipe(Effect.provide(layer))
  )

  it.scopedLive("says nothing when the content is the one that is known", () =>
    Effect.gen(function* () {
      const { home, path } = yield* settings
      let reads = 0
      yield* promisesWith(
        "stat",
        (original) =>
          new Proxy(original, {
            apply: (target, self, args) => {
              if (args[0] === path) reads++
              return Reflect.apply(target, self, args)
            }
          })
      )
      const looked = (act: () => void) =>
        Effect.suspend(() => {
          const before = reads
          act()
          return eventually(
            "it was looked at",
            Effect.sync(() => reads > before || undefined)
          )
        })
      for (const options of [{ knownSha256: sha256Of("at first") }, {}]) {
        fs.writeFileSync(path, "at first")
        const seen = yield* changesOf(path, options)
        yield* looked(() => undefined)
        yield* looked(() => fs.writeFileSync(path, "at first"))
        yield* looked(() => renamedOver(path, "at first"))
        yield* looked(() => fs.chmodSync(path, 0o600))
        fs.writeFileSync(path, "changed")
        yield* eventually(
          "the change is noticed",
          Effect.sync(() => seen.length > 0 || undefined)
        )
        assert.deepStrictEqual(seen, ["changed"])
      }
      // No file is known as an empty one.
      const none = join(home, "none.toml")
      const seen = yield* changesOf(none, { knownSha256: sha256Of("") })
      fs.writeFileSync(none, "made")
      yield* eventually(
        "the file is noticed",
        Effect.sync(() => seen.length > 0 || undefined)
      )
      assert.deepStrictEqual(seen, ["made"])
    }).pipe(Effect.provide(layer))
  )

  it.scoped("tells once what an editor does in several steps, and only when it is done", () =>
    Effect.gen(function* () {
      const { home, path } = yield* settings
      const seen = yield* watched(path)
      seen.length = 0
      let events = 0
      yield* Effect.acquireRelease(
        Effect.sync(() => fs.watch(home, () => void events++)),
        (watcher) => Effect.sync(() => watcher.close())
      )
      for (const step of [
        () => fs.renameSync(path, `${path}~`),
        () => fs.writeFileSync(path, "half"),
        () => fs.appendFileSync(path, " and half"),
        () => fs.chmodSync(path, 0o600)
      ]) {
        const before = events
        step()
        yield* TestServices.provideLive(
          eventually(
            "the kernel has told it",
            Effect.sync(() => events > before || undefined)
          )
        )
        yield* TestClock.adjust("150 millis")
      }
      assert.deepStrictEqual(seen, [])
      yield* noticedAsTimeGoesOn("the end is told", "100 millis", () => seen.length > 0)
      assert.deepStrictEqual(seen, ["half and half"])
    }).pipe(Effect.provide(layer))
  )

  it.scoped("does nothing while nothing happens to it, whatever happens beside it", () =>
    Effect.gen(function* () {
      const { home, path } = yield* settings
      const seen = yield* watched(path)
      let reads = 0
      yield* promisesWith(
        "readFile",
        (original) =>
          new Proxy(original, {
            apply: (target, self, args) => {
              reads++
              return Reflect.apply(target, self, args)
            }
          })
      )
      const told: Array<string | null> = []
      yield* Effect.acquireRelease(
        Effect.sync(() => fs.watch(home, (_, name) => void told.push(name))),
        (watcher) => Effect.sync(() => watcher.close())
      )
      fs.writeFileSync(join(home, "something else"), "")
      yield* TestServices.provideLive(
        eventually(
          "the kernel has told it",
          Effect.sync(() => told.includes("something else") || undefined)
        )
      )
      yield* TestClock.adjust("1 day")
      seen.length = 0
      fs.writeFileSync(path, "changed")
      yield* noticedAsTimeGoesOn("the change is told", "100 millis", () => seen.length > 0)
      assert.strictEqual(reads, 1)
    }).pipe(Effect.provide(layer))
  )

  it.scoped("looks every few seconds where nothing can be watched, and says so once", () =>
    Effect.gen(function* () {
      const { home, path } = yield* settings
      let isPossible = false
      yield* watchWith(
        (original) =>
          new Proxy(original, {
            apply: (target, self, args) => {
              if (!isPossible) throw systemError("ENOSPC")
              return Reflect.apply(target, self, args)
            }
          })
      )
      const notices: Array<string> = []
      const seen = yield* watched(path, {
        onFallback: (notice) => Effect.sync(() => void notices.push(notice))
      })
      const notice =
        `${home} cannot be watched for changes: no inotify watches are left (raise fs.inotify.max_user_watches). ` +
        `${path} is looked at every 5 seconds instead.`
      for (const text of ["one", "two", "three"]) {
        fs.writeFileSync(path, text)
        yield* noticedAsTimeGoesOn(`${text} is told`, "1 second", () => seen.at(-1) === text)
      }
      fs.rmSync(path)
      yield* noticedAsTimeGoesOn("the end of the file is told", "1 second", () => seen.at(-1) === undefined)
      assert.deepStrictEqual(notices, [notice])

      isPossible = true
      fs.writeFileSync(path, "four")
      yield* noticedAsTimeGoesOn("four is told", "1 second", () => seen.at(-1) === "four")
      isPossible = false
      // Watched now; a folder that is moved must be watched anew, which fails.
      fs.renameSync(home, `${home}.moved`)
      fs.renameSync(`${home}.moved`, home)
      yield* noticedAsTimeGoesOn("it is said again", "1 second", () => notices.length > 1)
      assert.deepStrictEqual(notices, [notice, notice])
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("ends with its scope, watching nothing any more", () =>
    Effect.gen(function* () {
      const { path } = yield* settings
      const open = () => process.getActiveResourcesInfo().filter((name) => name === "FSEventWrap").length
      const before = open()
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* watched(path)
          assert.isAbove(open(), before)
        })
      )
      yield* eventually(
        "it is watched no more",
        Effect.sync(() => open() === before || undefined)
      )
    }).pipe(Effect.provide(layer))
  )
})
