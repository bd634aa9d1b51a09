import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import type { RawSettings } from "../../../src/Domain/toml/RawSettings.ts"
import { statusWord } from "../../../src/Domain/worker/WorkerState.ts"
import * as WorkerLimit from "../../../src/Layers/guard/WorkerLimit.ts"
import { WorkerMemory } from "../../../src/Layers/guard/WorkerMemory.ts"
import { Supervisor } from "../../../src/Layers/worker/Supervisor.ts"
import { ChangeableSettings } from "../../fixtures/ChangeableSettings.ts"
import { defaultPolicy } from "../../fixtures/policies.ts"
import type { TestBody } from "../../fixtures/TestBody.ts"
import { MiB, type ProcRow } from "../machine/ProcFolder.ts"
import { groupOf } from "../tree/PretendedGroup.ts"
import { FakeRuns } from "../worker/FakeRuns.ts"
import { plan, settle } from "../worker/SupervisorWorld.ts"
import { begin, type InWorld, type WorkerWorld, workerWorld, worldLayer } from "../worker/WorkerWorld.ts"

const limit = { worker_limit_bytes: 100 * MiB }

const inWorld = (
  memory: RawSettings,
  body: TestBody<[WorkerWorld], InWorld>,
  restart: Partial<typeof defaultPolicy> = {}
) =>
  Effect.flatMap(workerWorld, (world) =>
    Effect.provide(
      Effect.gen(() => body(world)),
      WorkerLimit.layer.pipe(
        Layer.provideMerge(
          worldLayer(world, memory, { projects: [{ ...plan, restart: { ...defaultPolicy, ...restart } }] })
        )
      )
    )
  )

const pass = (duration: Parameters<typeof TestClock.adjust>[0]) =>
  Effect.zipRight(TestClock.adjust(duration), settle)

/** What the worker's leader is, in its n-th life. */
const leader = (world: WorkerWorld, row: ProcRow, life = 1) =>
  world.proc.put(999 + life, { parent: 50, mark: `home:default:${life}`, ...row })

const state = Effect.map(
  Effect.flatMap(Supervisor, ({ snapshots }) => snapshots),
  ([snapshot]) => snapshot?.state
)
const word = Effect.map(state, (now) => (now === undefined ? undefined : statusWord(now)))

const of = <Tag extends DaemonEvent["_tag"]>(world: WorkerWorld, tag: Tag) =>
  world.events.filter((event): event is Extract<DaemonEvent, { _tag: Tag }> => event._tag === tag)

const reasons = (world: WorkerWorld) => of(world, "RestartAsked").map(({ reason }) => reason)
const outcomes = (world: WorkerWorld) => of(world, "WorkerOverLimit").map(({ outcome }) => outcome)

/** How many looks there are in a time. */
const looksIn = (world: WorkerWorld, duration: Parameters<typeof TestClock.adjust>[0]) =>
  Effect.gen(function* () {
    const before = world.looks
    yield* pass(duration)
    return world.looks - before
  })

describe("a worker that holds more than its limit", () => {
  it.scoped("is restarted, and an event has the figures", () =>
    inWorld(limit, function* (world) {
      leader(world, { residentBytes: 50 * MiB, share: { bytes: 50 * MiB } })
      yield* begin
      yield* pass("65 seconds")
      assert.deepStrictEqual(reasons(world), [])
      leader(world, { residentBytes: 90 * MiB, share: { bytes: 90 * MiB } })
      world.proc.put(1100, { parent: 1000, residentBytes: 40 * MiB, share: { bytes: 30 * MiB } })
      yield* pass("10 seconds")
      assert.deepStrictEqual(reasons(world), [
        "worker-limit: its 2 processes hold 120 MiB, the limit is 100 MiB"
      ])
      assert.deepStrictEqual(of(world, "WorkerOverLimit"), [
        {
          _tag: "WorkerOverLimit",
          project: plan.project,
          outcome: "restart",
          limitBytes: 100 * MiB,
          treeBytes: 130 * MiB,
          proportionalBytes: 120 * MiB,
          processes: 2
        }
      ])
      // It had long proven itself: that was no failure, and the next one starts at once.
      const lives = yield* FakeRuns
      assert.strictEqual(lives.started.length, 2)
      assert.strictEqual((yield* state)?.failures, 0)
      assert.strictEqual(lives.mostAlive(), 1)
    })
  )

  it.scoped("is restarted for the memory of its orphans", () =>
    inWorld(limit, function* (world) {
      yield* begin
      yield* pass("65 seconds")
      world.proc.put(1100, {
        mark: "home:default:1",
        residentBytes: 150 * MiB,
        share: { bytes: 150 * MiB }
      })
      yield* pass("10 seconds")
      assert.deepStrictEqual(reasons(world), [
        "worker-limit: its 2 processes hold 151 MiB, the limit is 100 MiB"
      ])
    })
  )

  it.scoped("is restarted for its swap", () =>
    inWorld(limit, function* (world) {
      world.swapInUseBytes = 500 * MiB
      leader(world, {
        residentBytes: 10 * MiB,
        swapBytes: 95 * MiB,
        share: { bytes: 10 * MiB, swapBytes: 95 * MiB }
      })
      yield* begin
      yield* pass("10 seconds")
      assert.deepStrictEqual(reasons(world), [
        "worker-limit: its only process holds 105 MiB, the limit is 100 MiB"
      ])
    })
  )

  it.scoped("counts all its memory where the kernel does not report its share", () =>
    inWorld(limit, function* (world) {
      leader(world, { residentBytes: 60 * MiB, share: { bytes: 20 * MiB } })
      world.proc.put(1100, { parent: 1000, residentBytes: 90 * MiB })
      yield* begin
      yield* pass("10 seconds")
      assert.deepStrictEqual(reasons(world), [
        "worker-limit: its 2 processes hold 110 MiB, the limit is 100 MiB"
      ])
    })
  )

  it.scoped("keeps running when its processes share their memory, and that is reported once", () =>
    inWorld(limit, function* (world) {
      leader(world, { residentBytes: 80 * MiB, share: { bytes: 28 * MiB } })
      for (const pid of [1100, 1101]) {
        world.proc.put(pid, { parent: 1000, residentBytes: 80 * MiB, share: { bytes: 27 * MiB } })
      }
      yield* begin
      yield* pass("20 seconds")
      assert.deepStrictEqual(reasons(world), [])
      assert.deepStrictEqual(
        of(world, "WorkerOverLimit").map(({ outcome, proportionalBytes, treeBytes }) => [
          outcome,
          treeBytes,
          proportionalBytes
        ]),
        [["shared", 240 * MiB, 82 * MiB]]
      )
      assert.strictEqual(yield* word, "running")
    })
  )

  it.scoped("is restarted for the memory of its cgroup, whatever its processes share", () =>
    inWorld(limit, function* (world) {
      const group = groupOf(world, "home:default:1", [1000, 1100])
      group.holds({ anonBytes: 90 * MiB })
      leader(world, { residentBytes: 200 * MiB, share: { bytes: 200 * MiB } })
      world.proc.put(1100, { parent: 1000, residentBytes: 200 * MiB })
      yield* begin
      yield* pass("20 seconds")
      assert.deepStrictEqual(outcomes(world), [])
      group.holds({ anonBytes: 95 * MiB, swapBytes: 7 * MiB })
      yield* pass("10 seconds")
      assert.deepStrictEqual(reasons(world), [
        "worker-limit: its 2 processes hold 102 MiB, the limit is 100 MiB"
      ])
      const [told] = of(world, "WorkerOverLimit")
      assert.strictEqual(told?.treeBytes, told?.proportionalBytes)
    })
  )

  it.scoped("is restarted also for processes outside of its cgroup", () =>
    inWorld(limit, function* (world) {
      groupOf(world, "home:default:1", [1000]).holds({ anonBytes: 60 * MiB })
      world.proc.put(1100, {
        mark: "home:default:1",
        residentBytes: 70 * MiB,
        share: { bytes: 50 * MiB }
      })
      yield* begin
      yield* pass("10 seconds")
      assert.deepStrictEqual(reasons(world), [
        "worker-limit: its 2 processes hold 110 MiB, the limit is 100 MiB"
      ])
    })
  )

  it.scoped("is not restarted for a process that reuses the pid of one of its processes", () =>
    inWorld(limit, function* (world) {
      world.proc.put(1100, { parent: 1000, mark: "home:default:1" })
      yield* begin
      yield* pass("10 seconds")
      // The look relies on what it knows of a pid; a person's program has got this one meanwhile.
      world.proc.put(1100, { start: 9999, residentBytes: 900 * MiB, share: { bytes: 900 * MiB } })
      yield* pass("20 seconds")
      const peakBytes = (yield* WorkerMemory).of(1000)?.peakBytes ?? 0
      assert.isAbove(peakBytes, 900 * MiB, "it was taken for the worker's at first")
      assert.deepStrictEqual(outcomes(world), [])
      assert.strictEqual(yield* word, "running")
    })
  )

  it.scoped("counts as failed soon after each start, waits longer each time, and becomes `failed`", () =>
    inWorld(
      limit,
      function* (world) {
        for (const life of [1, 2, 3]) {
          leader(world, { residentBytes: 200 * MiB, share: { bytes: 200 * MiB } }, life)
        }
        yield* begin
        yield* pass("5 minutes")
        assert.strictEqual(yield* word, "failed")
        assert.strictEqual(reasons(world).length, 3)
        assert.deepStrictEqual(
          of(world, "BackingOff").map(({ delayMs }) => delayMs),
          [1000, 2000]
        )
        const [gaveUp] = of(world, "GaveUp")
        assert.match(gaveUp?.reason ?? "", /^worker-limit: its only process holds 200 MiB/)
      },
      { maxConsecutiveRestarts: 3 }
    )
  )

  it.scoped("is only reported while memory.dry_run is on, once, and restarted as soon as it is off", () =>
    inWorld({ ...limit, dry_run: true }, function* (world) {
      leader(world, { residentBytes: 200 * MiB, share: { bytes: 200 * MiB } })
      yield* begin
      yield* pass("5 minutes")
      assert.deepStrictEqual(outcomes(world), ["dry-run"])
      assert.deepStrictEqual(reasons(world), [])
      yield* (yield* ChangeableSettings).set(limit)
      yield* settle
      assert.deepStrictEqual(outcomes(world), ["dry-run", "restart"])
      assert.strictEqual(reasons(world).length, 1)
    })
  )

  it.scoped("is stopped once, however long that takes", () =>
    inWorld(limit, function* (world) {
      leader(world, { residentBytes: 200 * MiB, share: { bytes: 200 * MiB } })
      yield* begin
      const lives = yield* FakeRuns
      lives.endsAfter(60_000)
      yield* pass("30 seconds")
      assert.strictEqual(yield* word, "stopping")
      assert.strictEqual(reasons(world).length, 1)
      assert.deepStrictEqual(outcomes(world), ["restart"])
    })
  )

  it.scoped("is restarted once /proc can be read again", () =>
    inWorld(limit, function* (world) {
      world.isReadable = false
      leader(world, { residentBytes: 200 * MiB, share: { bytes: 200 * MiB } })
      yield* begin
      yield* pass("10 seconds")
      assert.deepStrictEqual(reasons(world), [])
      world.isReadable = true
      yield* pass("1 seconds")
      assert.strictEqual(reasons(world).length, 1)
    })
  )
})

describe("the samples of workers with a limit", () => {
  it.scoped("cost nothing while no worker has a limit, and start and stop with the setting", () =>
    inWorld({}, function* (world) {
      leader(world, { residentBytes: 200 * MiB, share: { bytes: 200 * MiB } })
      yield* begin
      yield* pass("1 seconds")
      // One a minute, as without it.
      assert.strictEqual(yield* looksIn(world, "10 minutes"), 10)
      const { set } = yield* ChangeableSettings
      yield* set({ worker_limit_bytes: 2 ** 40 })
      assert.isAtLeast(yield* looksIn(world, "10 minutes"), 60)
      yield* set({})
      yield* settle
      assert.strictEqual(yield* looksIn(world, "10 minutes"), 10)
      yield* set(limit)
      yield* settle
      assert.strictEqual(reasons(world).length, 1)
    })
  )

  it.scoped("cost nothing while the worker does not run", () =>
    inWorld(limit, function* (world) {
      yield* begin
      const actor = yield* (yield* Supervisor).project(undefined)
      yield* actor.command("stop")
      yield* pass("1 seconds")
      assert.strictEqual(yield* looksIn(world, "10 minutes"), 0)
    })
  )

  it.scoped("become more frequent near the limit", () =>
    inWorld({ worker_limit_bytes: 4096 * MiB }, function* (world) {
      yield* begin
      yield* pass("10 seconds")
      const far = yield* looksIn(world, "60 seconds")
      leader(world, { residentBytes: 4000 * MiB, share: { bytes: 4000 * MiB } })
      yield* pass("10 seconds")
      const near = yield* looksIn(world, "60 seconds")
      assert.isAtMost(far, 20)
      assert.isAtLeast(near, 200)
      assert.isAtMost(near, 242)
    })
  )

  it.scoped("include a worker that starts slowly", () =>
    inWorld(limit, function* (world) {
      yield* begin
      const lives = yield* FakeRuns
      const actor = yield* (yield* Supervisor).project(undefined)
      lives.endsAfter(30_000)
      yield* actor.command("restart")
      leader(world, { residentBytes: 200 * MiB, share: { bytes: 200 * MiB } }, 2)
      yield* pass("29 seconds")
      assert.deepStrictEqual(reasons(world), [])
      yield* pass("10 seconds")
      assert.strictEqual(reasons(world).length, 1)
    })
  )
})
