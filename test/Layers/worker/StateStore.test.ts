import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { unnamed } from "../../../src/Domain/Project.ts"
import { emptyState } from "../../../src/Domain/worker/SavedState.ts"
import { makeListeners } from "../../../src/Layers/concurrency/Listeners.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import { savedTraces } from "../../../src/Layers/tree/SavedTraces.ts"
import * as StateStore from "../../../src/Layers/worker/StateStore.ts"
import { turnOfTheEventLoop } from "../../fixtures/EventLoopTurn.ts"
import { heldHome } from "../../fixtures/HeldHome.ts"
import type { TestBody } from "../../fixtures/TestBody.ts"
import { eventually, temporaryHome } from "../../live/TestDaemon.ts"

const inHome = (
  body: TestBody<[stateFile: string], StateStore.StateStore>,
  lock: Parameters<typeof heldHome>[1] = {}
) =>
  Effect.flatMap(temporaryHome, (home) => {
    const paths = pathsBelow(home)
    fs.mkdirSync(paths.stateDir)
    return Effect.gen(() => body(join(paths.stateDir, "default.json"))).pipe(
      Effect.provide(
        StateStore.layer.pipe(
          Layer.provide(Layer.merge(Layer.succeed(AutopilotHome, paths), heldHome("home", lock)))
        )
      )
    )
  })

describe("a project's state on disk", () => {
  it.scopedLive("is absent before the first save, and afterwards the last saved one", () =>
    inHome(function* (stateFile) {
      const { load, save } = yield* StateStore.StateStore
      assert.isUndefined(yield* load(unnamed))
      yield* save(unnamed, { ...emptyState, failures: 1 }, true)
      yield* save(unnamed, { ...emptyState, failures: 2, failed: 'a "reason"\n' }, true)
      assert.deepStrictEqual(yield* load(unnamed), { ...emptyState, failures: 2, failed: 'a "reason"\n' })
      assert.strictEqual(fs.statSync(stateFile).mode & 0o777, 0o600)
      assert.deepStrictEqual(fs.readdirSync(join(stateFile, "..")), ["default.json"])
    })
  )

  it.scopedLive("that is not valid is set aside and reported, and the next one is saved in its place", () =>
    inHome(function* (stateFile) {
      const { load, save } = yield* StateStore.StateStore
      const wait = (untilMs: unknown) => ({
        ...emptyState,
        wait: { kind: "hold", untilMs, because: "x" }
      })
      const tree = { bootId: "b", homeId: "h", processes: [{ pid: 1, startTicks: 5 }] }
      const foreign = "is not a state that this version has written"
      const write = (content: unknown) => () =>
        fs.writeFileSync(stateFile, typeof content === "string" ? content : JSON.stringify(content))
      const obstacles: ReadonlyArray<readonly [reason: string, put: () => void]> = [
        ...["", '{"version":1,"wanted":"up"', "[]", '{"version":2}', "\0"].map(
          (text) => [foreign, write(text)] as const
        ),
        [foreign, write(wait(1e17))],
        [foreign, write(wait(-1))],
        [foreign, write({ ...emptyState, failures: 1e12 })],
        [foreign, write({ ...emptyState, tree })],
        ["is larger than 1 MiB: it is hardly the file that was meant", write(" ".repeat(2 ** 20 + 1))],
        ["is a folder, not a file", () => fs.mkdirSync(stateFile)],
        ["is not a regular file", () => execFileSync("mkfifo", [stateFile])]
      ]
      for (const [reason, put] of obstacles) {
        fs.rmSync(`${stateFile}.unreadable`, { recursive: true, force: true })
        fs.rmSync(stateFile, { force: true })
        put()
        const error = yield* Effect.flip(load(unnamed))
        assert.strictEqual(error.message, `${stateFile} ${reason}. It is kept as ${stateFile}.unreadable`)
        assert.isTrue(fs.existsSync(`${stateFile}.unreadable`))
        yield* save(unnamed, { ...emptyState, failures: 3 }, true)
        assert.strictEqual((yield* load(unnamed))?.failures, 3)
      }
    })
  )

  it.scopedLive("many saves at once leave one of them whole", () =>
    inHome(function* () {
      const { load, save } = yield* StateStore.StateStore
      yield* Effect.forEach(
        Array.from({ length: 50 }, (_, failures) => failures),
        (failures) => save(unnamed, { ...emptyState, failures }, true),
        { concurrency: "unbounded" }
      )
      assert.strictEqual((yield* load(unnamed))?.failures, 49)
    })
  )

  it.scopedLive(
    "is saved at once where nothing is in the way, and is the newest one whatever was being written",
    () =>
      inHome(function* (stateFile) {
        const { load, save, saveNow } = yield* StateStore.StateStore
        const failures = Effect.map(load(unnamed), (state) => state?.failures)
        yield* save(unnamed, { ...emptyState, failed: "a reason that the next state has no more" }, true)
        assert.isTrue(saveNow(unnamed, { ...emptyState, failures: 1 }))
        assert.strictEqual(yield* failures, 1)
        assert.strictEqual(fs.statSync(stateFile).mode & 0o777, 0o600)
        for (let count = 2; count < 60; count += 2) {
          const slow = yield* Effect.fork(save(unnamed, { ...emptyState, failures: count }, true))
          for (let turns = 0; turns <= count % 12; turns++) yield* turnOfTheEventLoop
          const next = { ...emptyState, failures: count + 1 }
          if (!saveNow(unnamed, next)) yield* save(unnamed, next, false)
          yield* Fiber.join(slow)
          assert.strictEqual(yield* failures, count + 1)
        }
        const folder = join(stateFile, "..")
        assert.deepStrictEqual(fs.readdirSync(folder), ["default.json"])
        fs.rmSync(folder, { recursive: true })
        assert.isFalse(saveNow(unnamed, { ...emptyState, failures: 4 }))
      })
  )

  it.scopedLive("is not saved at once in a home that is lost, or on a disk that may hang", () =>
    inHome(
      function* (stateFile) {
        const { saveNow } = yield* StateStore.StateStore
        assert.isFalse(saveNow(unnamed, emptyState))
        assert.isFalse(fs.existsSync(stateFile))
      },
      { isHeldNow: () => false }
    )
  )

  it.scopedLive("that cannot be written is an error with the path", () =>
    inHome(function* (stateFile) {
      const { save } = yield* StateStore.StateStore
      fs.rmSync(join(stateFile, ".."), { recursive: true })
      const error = yield* Effect.flip(save(unnamed, emptyState, true))
      assert.include(error.message, stateFile)
    })
  )

  it.scopedLive(
    "is written again after its folder was removed, and so is the file that names the leader",
    () =>
      Effect.gen(function* () {
        const { listen: remade, tell } = makeListeners<[]>()
        const tree = { bootId: "b", homeId: "home", processes: [{ pid: 7, startTicks: 5 }] }
        yield* inHome(
          function* (stateFile) {
            const { load, save } = yield* StateStore.StateStore
            const state = { ...emptyState, workerId: "home:default:1", tree }
            yield* save(unnamed, state, true)
            const folder = join(stateFile, "..")
            fs.rmSync(folder, { recursive: true })
            fs.mkdirSync(folder)
            tell()
            const traces = savedTraces(pathsBelow(join(folder, "..")))
            yield* eventually(
              "both files name the leader",
              Effect.map(traces, (found) => found.length === 2 || undefined)
            )
            assert.deepStrictEqual(yield* traces, [tree, tree])
            assert.deepStrictEqual(yield* load(unnamed), state)
          },
          { remade }
        )
      })
  )
})
