import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { RawSettings } from "../../../src/Domain/toml/RawSettings.ts"
import * as MemoryBackstop from "../../../src/Layers/guard/MemoryBackstop.ts"
import { Supervisor } from "../../../src/Layers/worker/Supervisor.ts"
import { ChangeableSettings } from "../../fixtures/ChangeableSettings.ts"
import { turnOfTheEventLoop } from "../../fixtures/EventLoopTurn.ts"
import type { TestBody } from "../../fixtures/TestBody.ts"
import { MiB } from "../machine/ProcFolder.ts"
import { groupOf } from "../tree/PretendedGroup.ts"
import { settle } from "../worker/SupervisorWorld.ts"
import { begin, type InWorld, type WorkerWorld, workerWorld, worldLayer } from "../worker/WorkerWorld.ts"

const limit = { worker_limit_bytes: 100 * MiB }
const backstop = String(125 * MiB)

const inWorld = (memory: RawSettings, body: TestBody<[WorkerWorld], InWorld>) =>
  Effect.flatMap(workerWorld, (world) =>
    Effect.provide(
      Effect.gen(() => body(world)),
      Layer.provideMerge(MemoryBackstop.layer, worldLayer(world, memory))
    )
  )

type Group = ReturnType<typeof groupOf>

/** Files are written by the thread pool, on no test's clock. */
const until = (isSo: () => boolean) =>
  Effect.iterate(false, {
    while: (is) => !is,
    body: () => Effect.map(Effect.zipRight(settle, turnOfTheEventLoop), isSo)
  })

const becomes = (group: Group, text: string) => until(() => group.file("memory.max") === text)

const set = (memory: RawSettings) => Effect.flatMap(ChangeableSettings, (settings) => settings.set(memory))

/** A worker without a limit would be reached only after one with it. */
const others = (world: WorkerWorld) => {
  const group = groupOf(world, "home:default:other", [])
  group.holds({ anonBytes: MiB })
  return group
}

describe("the kernel's limit of a worker", () => {
  it.scoped(
    "is a quarter above the configured one, once it has started, and the kernel may kill one process alone",
    () =>
      inWorld(limit, function* (world) {
        const group = groupOf(world, "home:default:1", [1000])
        group.holds({ anonBytes: MiB, cacheBytes: 900 * MiB })
        yield* begin
        yield* becomes(group, backstop)
        assert.strictEqual(group.file("memory.oom.group"), "0")
      })
  )

  it.scoped("follows the settings, and is removed with them", () =>
    inWorld(limit, function* (world) {
      const group = groupOf(world, "home:default:1", [1000])
      group.holds({ anonBytes: MiB })
      yield* begin
      yield* becomes(group, backstop)
      yield* set({ worker_limit_bytes: 200 * MiB })
      yield* becomes(group, String(250 * MiB))
      yield* set({})
      yield* becomes(group, "max")
      yield* set(limit)
      yield* becomes(group, backstop)
      // What is only tried out kills nobody.
      yield* set({ ...limit, dry_run: true })
      yield* becomes(group, "max")
    })
  )

  it.scoped("is not written below its present memory: the kernel would kill it at once", () =>
    inWorld({}, function* (world) {
      const group = groupOf(world, "home:default:1", [1000])
      group.holds({ anonBytes: 126 * MiB })
      const other = others(world)
      yield* begin
      yield* set(limit)
      yield* becomes(other, backstop)
      assert.strictEqual(group.file("memory.max"), "max\n")
    })
  )

  it.scoped("is not written without a setting, nor where memory is not accounted", () =>
    inWorld({}, function* (world) {
      const group = groupOf(world, "home:default:1", [1000])
      group.holds({ anonBytes: MiB })
      yield* begin
      yield* set({ dry_run: true })
      yield* Effect.zipRight(settle, turnOfTheEventLoop).pipe(Effect.repeatN(50))
      assert.strictEqual(group.file("memory.max"), "max\n")
      assert.strictEqual(group.file("memory.oom.group"), "1\n")
      const bare = groupOf(world, "home:default:bare", [])
      yield* set(limit)
      yield* becomes(group, backstop)
      assert.isFalse(fs.existsSync(join(bare.folder, "memory.max")))
    })
  )

  it.scoped("that cannot be set is reported once, and the worker keeps running", () =>
    inWorld(limit, function* (world) {
      const group = groupOf(world, "home:default:1", [1000])
      group.holds({ anonBytes: MiB })
      fs.rmSync(join(group.folder, "memory.max"))
      fs.mkdirSync(join(group.folder, "memory.max"))
      const told = () => world.events.filter(({ _tag }) => _tag === "GroupsUnusable").length
      yield* begin
      yield* until(() => told() > 0)
      const other = others(world)
      yield* set({ worker_limit_bytes: 200 * MiB })
      yield* becomes(other, String(250 * MiB))
      assert.strictEqual(told(), 1)
      const [snapshot] = yield* (yield* Supervisor).snapshots
      assert.strictEqual(snapshot?.state.phase._tag, "Running")
    })
  )
})
