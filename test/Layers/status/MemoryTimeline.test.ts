import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import type { MemorySample } from "../../../src/Domain/memory/MemorySample.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { MinuteBeat } from "../../../src/Layers/concurrency/MinuteBeat.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import { WorkerMemory } from "../../../src/Layers/guard/WorkerMemory.ts"
import * as Concerns from "../../../src/Layers/history/Concerns.ts"
import { MemoryMonitor } from "../../../src/Layers/memory/MemoryMonitor.ts"
import * as MemoryTimeline from "../../../src/Layers/status/MemoryTimeline.ts"
import { heldHome } from "../../fixtures/HeldHome.ts"
import { sampleOf } from "../../fixtures/MemorySamples.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"
import { eventually, temporaryHome } from "../../live/TestDaemon.ts"

const shop = ProjectName.make("shop")
const startMs = 1_790_000_000_000

/** A daemon that samples when the test says so, at a time that the test says. */
interface World {
  readonly home: string
  readonly events: Array<DaemonEvent>
  readonly sampled: (availableBytes: number, treeBytes?: number) => void
  readonly treeSampled: (bytes: number) => void
  readonly wait: (ms: number) => void
  readonly beat: () => void
}

const inWorld = <A, E>(
  home: string,
  test: (world: World) => Effect.Effect<A, E, MemoryTimeline.MemoryTimeline>,
  { beganMs = startMs, isLost = false } = {}
) =>
  Effect.gen(function* () {
    const live = yield* Effect.clock
    let passedMs = 0
    const clock: Clock.Clock = Object.assign(Object.create(live), {
      unsafeCurrentTimeMillis: () => beganMs + passedMs,
      unsafeCurrentTimeNanos: () => BigInt(passedMs) * 1_000_000n,
      currentTimeMillis: Effect.sync(() => beganMs + passedMs)
    })
    const seers: Array<(sample: MemorySample) => void> = []
    const treeSeers: Array<() => void> = []
    const beats: Array<() => void> = []
    const events: Array<DaemonEvent> = []
    let treeBytes: number | undefined
    const Surroundings = Layer.mergeAll(
      Layer.mock(MemoryMonitor, {
        last: Effect.succeed(undefined),
        shortage: () => Effect.void,
        observe: (see) => Effect.sync(() => void seers.push(see))
      }),
      Layer.mock(WorkerMemory, {
        of: () => undefined,
        refresh: () => undefined,
        held: () => new Map(treeBytes === undefined ? [] : [[shop, treeBytes]]),
        observe: (see) => Effect.sync(() => void treeSeers.push(see))
      }),
      Layer.succeed(MinuteBeat, {
        observe: (act) => Effect.sync(() => void beats.push(act)),
        awake: () => {}
      }),
      Layer.succeed(AutopilotHome, pathsBelow(home)),
      heldHome("home", { isLost: Effect.succeed(isLost) }),
      Layer.provide(Concerns.layer, recordedEvents(events))
    )
    const world: World = {
      home,
      events,
      sampled: (availableBytes, tree) => {
        treeBytes = tree
        for (const see of seers) see(sampleOf(availableBytes))
      },
      treeSampled: (bytes) => {
        treeBytes = bytes
        for (const see of treeSeers) see()
      },
      wait: (ms) => void (passedMs += ms),
      beat: () => {
        for (const act of beats) act()
      }
    }
    return yield* test(world).pipe(
      Effect.provide(Layer.provide(MemoryTimeline.layer, Surroundings)),
      Effect.withClock(clock)
    )
  })

const ask = (sinceMs = startMs) =>
  Effect.flatMap(MemoryTimeline.MemoryTimeline, ({ samples }) => samples({ sinceMs }))

const fileOf = (home: string) => join(home, "samples")

const isThere = (path: string) => Effect.sync(() => (fs.existsSync(path) ? true : undefined))

/** Samples for two minutes. */
const twoMinutes = ({ beat, sampled, wait }: World) =>
  Effect.sync(() => {
    for (let n = 0; n < 24; n++) {
      sampled(8e9 - n, n)
      wait(5000)
    }
    beat()
  })

describe("the memory timeline of the daemon", () => {
  it.scopedLive("keeps the lowest and the highest samples, those of workers between two of memory too", () =>
    Effect.flatMap(temporaryHome, (home) =>
      inWorld(home, (world) =>
        Effect.gen(function* () {
          world.sampled(8e9, 100)
          world.sampled(5e9, 100)
          world.treeSampled(900)
          world.sampled(7e9, 100)
          assert.deepStrictEqual((yield* ask()).at_ms, [])
          world.wait(10_000)
          assert.deepStrictEqual(yield* ask(), {
            width_ms: 10_000,
            at_ms: [startMs],
            available_bytes: [5e9],
            limits: [{ at_ms: startMs, total_bytes: 2 ** 34, low_bytes: 2 ** 31, critical_bytes: 2 ** 30 }],
            trees: { shop: [900] }
          })
        })
      )
    )
  )

  it.scopedLive(
    "is written once a minute and at the end, and read by the next daemon, even after a kill",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        yield* inWorld(home, (world) =>
          Effect.gen(function* () {
            world.sampled(8e9, 1)
            assert.isFalse(fs.existsSync(fileOf(home)))
            // Whether the file of the last daemon was read by then is up to the disk.
            yield* eventually(
              "the file is written",
              Effect.zipRight(twoMinutes(world), isThere(fileOf(home)))
            )
            const copy = fs.readFileSync(fileOf(home), "utf8")
            assert.strictEqual(fs.statSync(fileOf(home)).mode & 0o777, 0o600)
            // What a killed daemon leaves is what it wrote last.
            fs.writeFileSync(join(home, "killed"), copy)
          })
        )
        assert.isAbove(fs.statSync(fileOf(home)).size, 0)
        fs.renameSync(join(home, "killed"), fileOf(home))
        const later = startMs + 3_600_000
        yield* inWorld(
          home,
          (world) =>
            Effect.gen(function* () {
              world.sampled(4e9)
              world.wait(60_000)
              const { available_bytes } = yield* eventually(
                "the samples of the killed daemon",
                Effect.map(ask(), (data) => (data.at_ms.length > 1 ? data : undefined))
              )
              assert.strictEqual(available_bytes.at(-1), 4e9)
            }),
          { beganMs: later }
        )
      })
  )

  for (const [what, spoil] of [
    ["garbage", (path: string) => fs.writeFileSync(path, "\0\0 no JSON")],
    ["an empty file", (path: string) => fs.writeFileSync(path, "")],
    ["a foreign JSON", (path: string) => fs.writeFileSync(path, '{"version":2}')],
    ["a folder", (path: string) => fs.mkdirSync(path)],
    ["a pipe", (path: string) => void execFileSync("mkfifo", [path])]
  ] as const)
    it.scopedLive(`sets ${what} aside and starts over`, () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        spoil(fileOf(home))
        yield* inWorld(home, (world) =>
          Effect.gen(function* () {
            world.sampled(8e9)
            yield* eventually("it is set aside", isThere(`${fileOf(home)}.unreadable`))
            yield* eventually(
              "the file is written",
              Effect.zipRight(twoMinutes(world), isThere(fileOf(home)))
            )
            assert.deepStrictEqual(world.events, [])
          })
        )
        assert.isTrue(fs.statSync(fileOf(home)).isFile())
      })
    )

  it.scopedLive("is not written while another daemon has the home", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* inWorld(home, twoMinutes, { isLost: true })
      assert.isFalse(fs.existsSync(fileOf(home)))
    })
  )
})
