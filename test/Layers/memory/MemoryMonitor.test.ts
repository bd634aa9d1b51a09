import { assert, describe, it } from "@effect/vitest"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import type { MemoryReading, UnusableFile } from "../../../src/Domain/machine/MemoryReading.ts"
import type { EffectiveSettings } from "../../../src/Domain/settings/EffectiveSettings.ts"
import type { RawSettings } from "../../../src/Domain/toml/RawSettings.ts"
import * as MinuteBeat from "../../../src/Layers/concurrency/MinuteBeat.ts"
import * as Concerns from "../../../src/Layers/history/Concerns.ts"
import { MemoryReader } from "../../../src/Layers/machine/MemoryReader.ts"
import * as MemoryMonitor from "../../../src/Layers/memory/MemoryMonitor.ts"
import { ChangeableSettings, changeableSettings } from "../../fixtures/ChangeableSettings.ts"
import { readingOf } from "../../fixtures/MemorySamples.ts"
import { testTimers } from "../../fixtures/PlainTimers.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"
import { inForce } from "../../fixtures/SettingsInForce.ts"
import { gib } from "../machine/KernelFolders.ts"
import { settle } from "../worker/SupervisorWorld.ts"

/** What the test changes and counts. */
interface World {
  readonly events: Array<DaemonEvent>
  reading: MemoryReading | undefined
  unusable: ReadonlyArray<UnusableFile>
  looks: number
}

const makeWorld = (availableBytes: number): World => ({
  events: [],
  reading: readingOf(availableBytes, { stall: { someMicros: 0, fullMicros: 0 } }),
  unusable: [],
  looks: 0
})

const change = (world: World, to: Partial<MemoryReading>) =>
  Effect.sync(() => {
    if (world.reading !== undefined) world.reading = { ...world.reading, ...to }
  })

const settingsOf = (memory: RawSettings): EffectiveSettings =>
  inForce({ worker_command: { type: "Command", argv: ["worker"] }, memory })

const inWorld =
  (world: World, memory: RawSettings = {}) =>
  <A, E, R>(test: Effect.Effect<A, E, R>) => {
    const Reader = Layer.succeed(MemoryReader, {
      read: () => {
        world.looks++
        return { reading: world.reading, unusable: world.unusable }
      }
    })
    return Effect.provide(
      test,
      MemoryMonitor.layer.pipe(
        Layer.provide(Concerns.layer),
        Layer.provide(
          Layer.mergeAll(
            recordedEvents(world.events),
            Reader,
            Layer.provideMerge(MinuteBeat.layer, testTimers)
          )
        ),
        Layer.provideMerge(changeableSettings(settingsOf, memory))
      )
    )
  }

const last = Effect.flatMap(MemoryMonitor.MemoryMonitor, (monitor) => monitor.last)
const set = (memory: RawSettings) =>
  Effect.flatMap(ChangeableSettings, (settings) => settings.set(memory)).pipe(Effect.zipRight(settle))

/** How many looks there are in a time. */
const looksIn = (world: World, duration: `${number} millis`) =>
  Effect.gen(function* () {
    const before = world.looks
    yield* TestClock.adjust(duration)
    return world.looks - before
  })

const levels = (world: World) =>
  world.events.flatMap((event) => (event._tag === "MemoryLevelChanged" ? [event.level] : []))

describe("the memory monitor", () => {
  it.scoped("has read the memory once before the first request (D28)", () => {
    const world = makeWorld(10 * gib)
    return Effect.gen(function* () {
      assert.deepInclude(yield* last, {
        level: "plentiful",
        thresholds: { minAvailableBytes: 2 * gib, criticalBytes: gib },
        pressure: undefined
      })
      assert.strictEqual((yield* last)?.reading.availableBytes, 10 * gib)
    }).pipe(inWorld(world))
  })

  it.scoped(
    "samples again before memory can have run out, and twenty times a second when it is critical",
    () => {
      const world = makeWorld(8 * gib)
      return Effect.gen(function* () {
        yield* settle
        assert.strictEqual(yield* looksIn(world, "999 millis"), 0)
        yield* change(world, { availableBytes: 1.5 * gib })
        assert.strictEqual(yield* looksIn(world, "1 millis"), 1)
        assert.strictEqual((yield* last)?.level, "low")
        yield* change(world, { availableBytes: gib / 2 })
        assert.strictEqual(yield* looksIn(world, "83 millis"), 1)
        assert.strictEqual((yield* last)?.level, "critical")
        assert.strictEqual(yield* looksIn(world, "1000 millis"), 20)
      }).pipe(inWorld(world))
    }
  )

  it.scoped(
    "samples every poll_interval_ms at the latest, and applies a new one and new thresholds at once",
    () => {
      const world = makeWorld(15 * gib)
      return Effect.gen(function* () {
        yield* settle
        assert.strictEqual(yield* looksIn(world, "1000 millis"), 10)
        yield* set({ poll_interval_ms: 500 })
        assert.strictEqual(yield* looksIn(world, "1000 millis"), 2)
        yield* set({
          poll_interval_ms: 500,
          min_available_bytes: 12 * gib,
          critical_threshold_bytes: 11 * gib
        })
        assert.deepInclude(yield* last, {
          level: "plentiful",
          thresholds: { minAvailableBytes: 12 * gib, criticalBytes: 11 * gib }
        })
        yield* change(world, { availableBytes: 11.5 * gib })
        assert.strictEqual(yield* looksIn(world, "500 millis"), 1)
        assert.strictEqual((yield* last)?.level, "low")
      }).pipe(inWorld(world, { poll_interval_ms: 100 }))
    }
  )

  it.scoped("takes no new sample for a setting that it does not use", () => {
    const world = makeWorld(15 * gib)
    return Effect.gen(function* () {
      yield* settle
      const before = world.looks
      yield* set({ dry_run: true })
      assert.strictEqual(world.looks, before)
    }).pipe(inWorld(world))
  })

  it.scoped("reports a change of level with its figures, and not every fluctuation", () => {
    const world = makeWorld(15 * gib)
    return Effect.gen(function* () {
      yield* settle
      assert.deepStrictEqual(levels(world), [])
      yield* change(world, { availableBytes: gib, boundBy: "/sys/fs/cgroup/x" })
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(world.events[0], {
        _tag: "MemoryLevelChanged",
        before: "plentiful",
        level: "low",
        availableBytes: gib,
        totalBytes: 16 * gib,
        minAvailableBytes: 2 * gib,
        boundBy: "/sys/fs/cgroup/x",
        pressureSomePerMille: 0
      })
      for (let second = 0; second < 100; second++) {
        yield* change(world, { availableBytes: second % 20 === 0 ? gib : 15 * gib })
        yield* TestClock.adjust("1 seconds")
      }
      assert.deepStrictEqual(levels(world), ["low"])
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(levels(world), ["low", "plentiful"])
    }).pipe(inWorld(world))
  })

  it.scoped("passes every sample of a shortage to subscribers, up to the first plentiful one", () => {
    const world = makeWorld(15 * gib)
    return Effect.gen(function* () {
      yield* settle
      const seen: Array<number> = []
      const { shortage } = yield* MemoryMonitor.MemoryMonitor
      yield* shortage(({ reading }) => void seen.push(reading.availableBytes / gib))
      for (const amount of [15, 1.5, 0.5, 14, 14, 1.75]) {
        yield* change(world, { availableBytes: amount * gib })
        yield* looksIn(world, "100 millis")
      }
      // A critical level is looked at every 50 ms, whatever the interval.
      assert.deepStrictEqual(seen, [1.5, 0.5, 14, 1.75])
      world.reading = undefined
      yield* looksIn(world, "1000 millis")
      assert.lengthOf(seen, 4)
    }).pipe(inWorld(world, { poll_interval_ms: 100 }))
  })

  it.scoped("has the share of time in which processes waited for memory, over its own window", () => {
    const world = makeWorld(15 * gib)
    return Effect.gen(function* () {
      yield* settle
      yield* change(world, { stall: { someMicros: 50_000, fullMicros: 10_000 } })
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual((yield* last)?.pressure, { some: 0.5, full: 0.1 })
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual((yield* last)?.pressure, { some: 0, full: 0 })
      yield* change(world, { stall: undefined })
      yield* TestClock.adjust("100 millis")
      assert.isUndefined((yield* last)?.pressure)
    }).pipe(inWorld(world, { poll_interval_ms: 100 }))
  })

  it.scoped("has no share for a window in which the clock was set or the machine slept", () => {
    const world = makeWorld(15 * gib)
    return Effect.gen(function* () {
      const clock = yield* Effect.clock
      let jumpMs = 0
      const jumping: Clock.Clock = Object.assign(Object.create(clock), {
        unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() + jumpMs,
        unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos()
      })
      yield* Effect.gen(function* () {
        yield* settle
        yield* TestClock.adjust("100 millis")
        assert.isDefined((yield* last)?.pressure)
        jumpMs = 3_600_000
        yield* TestClock.adjust("100 millis")
        assert.isUndefined((yield* last)?.pressure)
        yield* TestClock.adjust("100 millis")
        assert.isDefined((yield* last)?.pressure)
      }).pipe(inWorld(world, { poll_interval_ms: 100 }), Effect.withClock(jumping))
    })
  })

  it.scoped("treats unreadable memory as unknown, not as short, and reports that once", () => {
    const world = makeWorld(15 * gib)
    const file = { path: "/proc/meminfo", reason: "no descriptor is free", consequence: "Not watched" }
    return Effect.gen(function* () {
      yield* settle
      world.reading = undefined
      world.unusable = [file]
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(world.events, [{ _tag: "MemoryFileUnusable", ...file }])
      assert.strictEqual((yield* last)?.reading.availableBytes, 15 * gib)
      world.reading = makeWorld(14 * gib).reading
      world.unusable = []
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual((yield* last)?.reading.availableBytes, 14 * gib)
      // It may fail again soon; only after it has worked for a while that is news.
      world.unusable = [file]
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf(world.events, 1)
      world.unusable = []
      yield* TestClock.adjust("70 seconds")
      world.unusable = [file]
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf(world.events, 2)
    }).pipe(inWorld(world))
  })

  it.scoped("scales thresholds that no longer fit a lowered limit, and reports that once", () => {
    const world = makeWorld(4 * gib)
    return Effect.gen(function* () {
      yield* change(world, { availableBytes: gib, totalBytes: 2 * gib })
      yield* TestClock.adjust("10 seconds")
      assert.deepInclude(yield* last, {
        level: "plentiful",
        thresholds: { minAvailableBytes: Math.floor(0.4 * gib), criticalBytes: Math.floor(0.2 * gib) }
      })
      assert.deepStrictEqual(
        world.events.map(({ _tag }) => _tag),
        ["MemoryThresholdsUnfit"]
      )
      yield* change(world, { totalBytes: 16 * gib, availableBytes: 15 * gib })
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* last)?.thresholds.minAvailableBytes, 3 * gib)
    }).pipe(inWorld(world, { min_available_bytes: 3 * gib, critical_threshold_bytes: gib }))
  })
})
