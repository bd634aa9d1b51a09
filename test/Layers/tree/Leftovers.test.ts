import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import { DaemonEvents } from "../../../src/Layers/history/DaemonEvents.ts"
import * as Leftovers from "../../../src/Layers/tree/Leftovers.ts"
import { WorkerGroups, withoutGroups } from "../../../src/Layers/tree/WorkerGroups.ts"
import { WorkerTree } from "../../../src/Layers/tree/WorkerTree.ts"
import { heldHome } from "../../fixtures/HeldHome.ts"
import { unheardEvents } from "../../fixtures/UnheardEvents.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

const ofHome = "AUTOPILOT_WORKER_ID=home:"
const ending = { graceMs: 0, hasten: Effect.never }

/** Leftovers that are looked for in the pretended trees of a machine where nothing is left; `looked` is for whose. */
const around = (looked: Array<string>, root = "/nonexistent") =>
  Leftovers.layer.pipe(
    Layer.provide(
      Layer.mergeAll(
        heldHome("home"),
        Layer.succeed(AutopilotHome, pathsBelow(root)),
        Layer.succeed(WorkerGroups, withoutGroups),
        Layer.succeed(
          DaemonEvents,
          unheardEvents(() => Effect.void)
        ),
        Layer.succeed(WorkerTree, {
          bootId: "boot",
          of: () => Effect.dieMessage("nothing is started here"),
          end: ({ earlier, mark }) =>
            Effect.sync(() => void looked.push([mark, ...earlier.map(({ pid }) => pid)].join(" "))).pipe(
              // All others ask meanwhile.
              Effect.zipRight(Effect.promise(() => new Promise((done) => setImmediate(done)))),
              Effect.as([])
            )
        })
      )
    )
  )

const start = (name: string) =>
  Effect.flatMap(Leftovers.Leftovers, ({ end }) => end(ProjectName.make(name), ending, () => Effect.void))

const startAll = (names: ReadonlyArray<string>) =>
  Effect.forEach(names, start, { concurrency: "unbounded", discard: true })

describe("leftovers", () => {
  it.effect("are searched once when all projects start together, not once for each", () => {
    const looked: Array<string> = []
    return Effect.gen(function* () {
      yield* startAll(["shop", "blog", "wiki"])
      assert.deepStrictEqual(looked, [ofHome])
    }).pipe(Effect.provide(around(looked)))
  })

  it.effect("are searched again by a project that starts later, only its own", () => {
    const looked: Array<string> = []
    return Effect.gen(function* () {
      yield* startAll(["shop"])
      yield* TestClock.adjust("1 minute")
      yield* startAll(["blog"])
      assert.deepStrictEqual(looked, [ofHome, `${ofHome}blog:`])
    }).pipe(Effect.provide(around(looked)))
  })

  it.effect("are killed although a stop comes before the first scan", () => {
    const looked: Array<string> = []
    return Effect.gen(function* () {
      const starting = yield* Effect.fork(start("shop"))
      // It has begun, and waits for the disk.
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(starting)
      assert.deepStrictEqual(looked, [ofHome])
    }).pipe(Effect.provide(around(looked)))
  })

  it.effect("are not searched by a project whose tree was verified empty just now", () => {
    const looked: Array<string> = []
    return Effect.gen(function* () {
      yield* startAll(["shop"])
      yield* TestClock.adjust("1 minute")
      yield* Effect.flatMap(Leftovers.Leftovers, ({ areGone }) => areGone(ProjectName.make("shop")))
      yield* startAll(["shop", "blog"])
      assert.deepStrictEqual(looked, [ofHome, `${ofHome}blog:`])
    }).pipe(Effect.provide(around(looked)))
  })

  it.effect("are searched after a start that may have left some, however soon the next one comes", () => {
    const looked: Array<string> = []
    return Effect.gen(function* () {
      yield* startAll(["shop"])
      yield* startAll(["shop"])
      assert.deepStrictEqual(looked, [ofHome, `${ofHome}shop:`])
    }).pipe(Effect.provide(around(looked)))
  })

  it.effect(
    "include the processes that an earlier daemon's saved state names, once, only since the same boot, and only of this home",
    () => {
      const looked: Array<string> = []
      const trace = (bootId: string, pid: number, homeId = "home") => ({
        bootId,
        homeId,
        processes: [{ pid, startTicks: 1 }]
      })
      return Effect.gen(function* () {
        const { remember } = yield* Leftovers.Leftovers
        yield* remember(ProjectName.make("shop"), trace("boot", 70))
        yield* remember(ProjectName.make("blog"), trace("an earlier boot", 71))
        yield* remember(ProjectName.make("copy"), trace("boot", 73, "the original"))
        yield* startAll(["shop"])
        yield* remember(ProjectName.make("wiki"), trace("boot", 72))
        yield* startAll(["wiki"])
        yield* TestClock.adjust("1 minute")
        yield* startAll(["wiki"])
        assert.deepStrictEqual(looked, [`${ofHome} 70`, `${ofHome}wiki: 72`, `${ofHome}wiki:`])
      }).pipe(Effect.provide(around(looked)))
    }
  )

  it.scoped(
    "include a worker of a project that the settings no longer have, and a leader that no saved state names yet",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const { stateDir } = pathsBelow(home)
        fs.mkdirSync(stateDir)
        const trace = (pid: number) =>
          `{"bootId":"boot","homeId":"home","processes":[{"pid":${pid},"startTicks":1}]}`
        fs.writeFileSync(`${stateDir}/removed.json`, `{"version":1,"tree":${trace(80)}}`)
        // Written over a longer one, by the leader itself.
        fs.writeFileSync(`${stateDir}/shop.leader`, `${trace(81)}\n9}]}\n`)
        fs.writeFileSync(`${stateDir}/blog.leader`, "")
        const looked: Array<string> = []
        yield* startAll(["shop"]).pipe(Effect.provide(around(looked, home)))
        assert.strictEqual(looked.length, 1)
        assert.deepStrictEqual(looked[0]?.split(" ").toSorted(), [ofHome, "80", "81"].toSorted())
      })
  )
})
