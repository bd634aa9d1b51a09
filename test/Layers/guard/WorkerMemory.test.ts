import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { noAgent } from "../../../src/Domain/agent/AgentSeen.ts"
import { WorkerMemory } from "../../../src/Layers/guard/WorkerMemory.ts"
import { LiveWorkers } from "../../../src/Layers/verdict/LiveWorkers.ts"
import type { TestBody } from "../../fixtures/TestBody.ts"
import { MiB } from "../machine/ProcFolder.ts"
import { groupOf } from "../tree/PretendedGroup.ts"
import { FakeRuns } from "../worker/FakeRuns.ts"
import { crash, settle } from "../worker/SupervisorWorld.ts"
import { begin, type InWorld, type WorkerWorld, workerWorld, worldLayer } from "../worker/WorkerWorld.ts"

const inWorld = (body: TestBody<[WorkerWorld], InWorld>) =>
  Effect.flatMap(workerWorld, (world) =>
    Effect.provide(
      Effect.gen(() => body(world)),
      worldLayer(world)
    )
  )

const known = (pid = 1000) => Effect.map(WorkerMemory, (memory) => memory.of(pid))
const ask = Effect.map(WorkerMemory, (memory) => memory.refresh()).pipe(Effect.zipRight(settle))
const pass = (duration: `${number} seconds` | `${number} minutes`) =>
  Effect.zipRight(TestClock.adjust(duration), settle)

describe("the memory of a worker", () => {
  it.scoped("is known a second after its start, without a request", () =>
    inWorld(function* () {
      yield* begin
      assert.isUndefined(yield* known())
      yield* pass("1 seconds")
      assert.deepStrictEqual(yield* known(), {
        residentBytes: MiB,
        swapBytes: 0,
        processes: 1,
        peakBytes: MiB
      })
    })
  )

  it.scoped("is sampled on request, at most every five seconds, and otherwise once a minute", () =>
    inWorld(function* (world) {
      yield* begin
      yield* pass("1 seconds")
      assert.strictEqual(world.looks, 1)
      world.proc.put(1000, { parent: 50, mark: "home:default:1", residentBytes: 5 * MiB })
      for (let second = 0; second < 4; second++) {
        yield* TestClock.adjust("1 seconds")
        yield* ask
      }
      assert.strictEqual(world.looks, 1)
      yield* TestClock.adjust("1 seconds")
      yield* ask
      assert.strictEqual(world.looks, 2)
      assert.strictEqual((yield* known())?.residentBytes, 5 * MiB)
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(world.looks, 12)
    })
  )

  it.scoped("includes its children, and the orphans that have left its tree", () =>
    inWorld(function* (world) {
      world.proc.put(1001, { parent: 1000, session: 1000, residentBytes: 2 * MiB })
      world.proc.put(1002, { mark: "home:default:1", residentBytes: 4 * MiB })
      world.proc.put(1003, { parent: 1002, session: 1002, residentBytes: 8 * MiB })
      // Not its own: a zombie, what an earlier worker has left, a stranger.
      world.proc.put(1004, { parent: 1000, session: 1000, state: "Z", residentBytes: 0 })
      world.proc.put(1005, { mark: "home:default:0", residentBytes: 16 * MiB })
      world.proc.put(1006, { residentBytes: 32 * MiB })
      yield* begin
      yield* pass("1 seconds")
      assert.deepInclude(yield* known(), { residentBytes: 15 * MiB, processes: 4 })
    })
  )

  it.scoped("is sampled without reading details of any process, however large", () =>
    inWorld(function* (world) {
      world.proc.put(1000, { parent: 50, mark: "home:default:1", residentBytes: 900_000 * MiB })
      world.proc.put(1006, { residentBytes: 900_000 * MiB })
      yield* begin
      yield* pass("1 seconds")
      assert.strictEqual((yield* known())?.residentBytes, 900_000 * MiB)
      assert.strictEqual(world.detailed, 0)
    })
  )

  it.scoped("includes the swap of its processes, read only while any swap is in use", () =>
    inWorld(function* (world) {
      world.proc.put(1000, { parent: 50, mark: "home:default:1", swapBytes: 3 * MiB })
      world.proc.put(1006, { swapBytes: 32 * MiB })
      yield* begin
      yield* pass("1 seconds")
      assert.deepInclude(yield* known(), { swapBytes: 0, peakBytes: MiB })
      world.swapInUseBytes = 1
      yield* pass("1 minutes")
      assert.deepInclude(yield* known(), { residentBytes: MiB, swapBytes: 3 * MiB, peakBytes: 4 * MiB })
    })
  )

  it.scoped("is that of its cgroup, and of each process outside of it", () =>
    inWorld(function* (world) {
      const group = groupOf(world, "home:default:1", [1000, 1001, 1007])
      group.holds({ anonBytes: 40 * MiB, cacheBytes: 900 * MiB, swapBytes: 2 * MiB })
      world.swapInUseBytes = 1
      world.proc.put(1000, { parent: 50, mark: "home:default:1", residentBytes: 30 * MiB, swapBytes: MiB })
      world.proc.put(1001, { parent: 1000, session: 1000, residentBytes: 30 * MiB })
      // It has moved itself out of the group, and is found by its environment.
      world.proc.put(1002, { mark: "home:default:1", residentBytes: 4 * MiB, swapBytes: 8 * MiB })
      // It has cleared its environment, and is found by the group alone.
      world.proc.put(1007, { residentBytes: 5 * MiB })
      yield* begin
      yield* pass("1 seconds")
      assert.deepStrictEqual(yield* known(), {
        residentBytes: 44 * MiB,
        swapBytes: 10 * MiB,
        processes: 4,
        peakBytes: 54 * MiB
      })
    })
  )

  it.scoped("is the sum of its processes where its cgroup does not account memory", () =>
    inWorld(function* (world) {
      groupOf(world, "home:default:1", [1000])
      world.proc.put(1000, { parent: 50, mark: "home:default:1", residentBytes: 30 * MiB })
      yield* begin
      yield* pass("1 seconds")
      assert.deepInclude(yield* known(), { residentBytes: 30 * MiB, processes: 1 })
    })
  )

  it.scoped("keeps its peak for the whole run", () =>
    inWorld(function* (world) {
      const grown = { parent: 50, mark: "home:default:1", residentBytes: 7 * MiB }
      world.proc.put(1000, grown)
      yield* begin
      yield* pass("1 seconds")
      world.proc.put(1000, { ...grown, residentBytes: MiB })
      yield* pass("1 minutes")
      assert.deepInclude(yield* known(), { residentBytes: MiB, peakBytes: 7 * MiB })
      const { started } = yield* FakeRuns
      yield* started[0]?.exit(crash) ?? Effect.void
      world.proc.remove(1000)
      world.proc.put(1001, { parent: 50, mark: "home:default:2", residentBytes: 2 * MiB })
      yield* pass("3 seconds")
      assert.isUndefined(yield* known(1000))
      assert.deepInclude(yield* known(1001), { residentBytes: 2 * MiB, peakBytes: 2 * MiB })
    })
  )

  it.scoped("is shared with the recognition of out-of-memory kills", () =>
    inWorld(function* (world) {
      const { add, of } = yield* LiveWorkers
      add(1000, {
        lastOutputNanos: () => 0n,
        agent: () => noAgent,
        onAgent: () => () => {},
        unfinished: () => undefined
      })
      yield* begin
      yield* pass("1 seconds")
      assert.deepInclude(of(1000)?.memory, { residentBytes: MiB, swapBytes: 0, processes: 1 })
      world.proc.put(1000, { parent: 50, mark: "home:default:1", residentBytes: 5 * MiB })
      yield* (yield* WorkerMemory).sample
      assert.strictEqual(of(1000)?.memory?.residentBytes, 5 * MiB)
    })
  )

  it.scoped("keeps its last value while /proc cannot be read", () =>
    inWorld(function* (world) {
      yield* begin
      yield* pass("1 seconds")
      world.isReadable = false
      yield* pass("2 minutes")
      assert.strictEqual(world.looks, 3)
      assert.strictEqual((yield* known())?.residentBytes, MiB)
    })
  )

  it.scoped("costs nothing while no worker runs", () =>
    inWorld(function* (world) {
      yield* ask
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(world.looks, 0)
    })
  )
})
