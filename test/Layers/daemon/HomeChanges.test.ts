import * as fs from "node:fs"
import { basename, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { makeListeners } from "../../../src/Layers/concurrency/Listeners.ts"
import * as MinuteBeat from "../../../src/Layers/concurrency/MinuteBeat.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as HomeChanges from "../../../src/Layers/daemon/HomeChanges.ts"
import { heldHome } from "../../fixtures/HeldHome.ts"
import { testTimers } from "../../fixtures/PlainTimers.ts"
import { eventually, temporaryHome } from "../../live/TestDaemon.ts"

/** Waits until inotify has told of a name in a folder. */
const seenIn = (folder: string) =>
  Effect.sync(() => {
    const seen = new Set<string | null>()
    return { seen, watcher: fs.watch(folder, (_, name) => void seen.add(name)) }
  }).pipe(
    (watch) => Effect.acquireRelease(watch, ({ watcher }) => Effect.sync(() => watcher.close())),
    Effect.map(
      ({ seen }) =>
        (name: string) =>
          eventually(
            name,
            Effect.sync(() => seen.has(name) || undefined)
          )
    )
  )

/** Beats when the test says so. */
const beatOf = (beats: Array<() => void>) =>
  Layer.succeed(MinuteBeat.MinuteBeat, {
    observe: (act) => Effect.sync(() => void beats.push(act)),
    awake: () => {}
  })

/** A home with its state folder, and who waits for its changes. */
const watchedHome = Effect.fnUntraced(function* (
  Beat: Layer.Layer<MinuteBeat.MinuteBeat> = Layer.provide(MinuteBeat.layer, testTimers),
  isHeldNow = () => false
) {
  const home = pathsBelow(yield* temporaryHome)
  fs.mkdirSync(home.stateDir, { recursive: true })
  const { listen: remade, tell } = makeListeners<[]>()
  const world = Layer.mergeAll(
    heldHome("home", { remade, isHeldNow }),
    Layer.succeed(AutopilotHome, home),
    Beat
  )
  const context = yield* Layer.build(Layer.provide(HomeChanges.layer, world))
  const changed = yield* Context.get(context, HomeChanges.HomeChanges).subscribe
  const makeAgain = Effect.zipRight(
    Effect.sync(() => fs.mkdirSync(home.stateDir, { recursive: true })),
    Effect.sync(tell)
  )
  /** Acts again and again until the change is heard: the watch begins some time after the layer. */
  const isHeard = (what: string, act: () => void) =>
    Effect.gen(function* () {
      const heard = yield* Effect.fork(changed)
      yield* eventually(
        what,
        Effect.suspend(() => {
          act()
          return Effect.map(Fiber.poll(heard), Option.getOrUndefined)
        })
      )
    })
  return { changed, home, isHeard, makeAgain }
})

describe("what changes in the home", () => {
  it.scopedLive("is heard: in the folder, in that of the states, and in a home that was made again", () =>
    Effect.gen(function* () {
      const { home, isHeard, makeAgain } = yield* watchedHome()
      let count = 0
      yield* isHeard("a file of the home", () => fs.writeFileSync(join(home.root, `${count++}`), ""))
      yield* isHeard("a state", () => fs.writeFileSync(join(home.stateDir, `${count++}`), ""))
      yield* isHeard("the end of the home", () => fs.rmSync(home.root, { recursive: true, force: true }))
      yield* makeAgain
      yield* isHeard("a file of the new home", () => fs.writeFileSync(join(home.root, `${count++}`), ""))
    })
  )

  it.scopedLive(
    "is not what the daemon itself touches once a minute: that would wake it up again and again",
    () =>
      Effect.gen(function* () {
        const beats: Array<() => void> = []
        const { changed, home, isHeard } = yield* watchedHome(beatOf(beats))
        const isSeen = yield* seenIn(home.root)
        const beat = () => {
          for (const act of beats) act()
        }
        yield* isHeard("the watch", () => fs.writeFileSync(join(home.root, "first"), ""))
        fs.writeFileSync(join(home.root, "last"), "")
        yield* isSeen("last")
        // All changes so far count as one.
        assert.isTrue(yield* changed)
        const heard = yield* Effect.fork(changed)
        fs.writeFileSync(home.aliveFile, "")
        fs.writeFileSync(join(home.root, ".samples.0123456789ab.new"), "")
        fs.renameSync(join(home.root, ".samples.0123456789ab.new"), home.samplesFile)
        yield* isSeen(basename(home.samplesFile))
        beat()
        assert.isFalse(yield* Fiber.join(heard))
      })
  )

  it.scopedLive("is asked for all the same after a minute: inotify does not see every change", () =>
    Effect.gen(function* () {
      const beats: Array<() => void> = []
      const { changed, home, isHeard } = yield* watchedHome(beatOf(beats))
      yield* isHeard("the watch", () => fs.writeFileSync(join(home.root, "first"), ""))
      // A change that comes after the beat, or that is heard late, is not what answers.
      const answers = yield* Effect.fork(Effect.repeat(changed, { while: (isChange) => isChange }))
      yield* eventually(
        "the answer of a beat",
        Effect.suspend(() => {
          for (const act of beats) act()
          return Effect.map(Fiber.poll(answers), Option.getOrUndefined)
        })
      )
      assert.isFalse(yield* Fiber.join(answers))
    })
  )

  it.scopedLive("is not asked for after a minute in which a local disk has kept the home whole", () =>
    Effect.gen(function* () {
      const beats: Array<() => void> = []
      const { changed, home, isHeard } = yield* watchedHome(beatOf(beats), () => true)
      const isSeen = yield* seenIn(home.root)
      yield* isHeard("the watch", () => fs.writeFileSync(join(home.root, "first"), ""))
      fs.writeFileSync(join(home.root, "last"), "")
      yield* isSeen("last")
      // All changes so far count as one.
      assert.isTrue(yield* changed)
      const heard = yield* Effect.fork(changed)
      yield* Effect.yieldNow()
      for (const act of beats) act()
      fs.writeFileSync(join(home.root, "later"), "")
      // The beat would be false, and come first.
      assert.isTrue(yield* Fiber.join(heard))
    })
  )
})
