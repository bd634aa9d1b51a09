import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/TestClock"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import type { MemorySample } from "../../../src/Domain/memory/MemorySample.ts"
import type { RelayReport } from "../../../src/Domain/relay/RelayReport.ts"
import type { RelaySettings } from "../../../src/Domain/relay/RelaySettings.ts"
import type { EffectiveSettings } from "../../../src/Domain/settings/EffectiveSettings.ts"
import { makeInbox } from "../../../src/Layers/concurrency/Inbox.ts"
import * as Concerns from "../../../src/Layers/history/Concerns.ts"
import { MemoryMonitor } from "../../../src/Layers/memory/MemoryMonitor.ts"
import * as Relay from "../../../src/Layers/relay/Relay.ts"
import { RelayProcess } from "../../../src/Layers/relay/RelayProcess.ts"
import { SettingsInForce } from "../../../src/Layers/settings/SettingsInForce.ts"
import { sampleOf } from "../../fixtures/MemorySamples.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"
import { inForce, settingsOf } from "../../fixtures/SettingsInForce.ts"
import type { TestBody } from "../../fixtures/TestBody.ts"
import { settle } from "../worker/SupervisorWorld.ts"

const beating = inForce({ heartbeat: { url_file: "/home/u/url" } })
const silent = inForce({})

/** A daemon whose relays a test ends. */
interface World {
  /** The settings of each relay that was started. */
  readonly started: ReadonlyArray<RelaySettings>
  readonly living: () => number
  readonly end: (reason: string) => Effect.Effect<void>
  readonly report: (report: RelayReport) => Effect.Effect<void>
  readonly reload: (settings: EffectiveSettings) => Effect.Effect<void>
  readonly become: (level: MemorySample["level"]) => void
  readonly refuse: (isRefused: boolean) => void
  readonly events: ReadonlyArray<DaemonEvent>
  readonly degraded: () => ReadonlyArray<string>
}

const inWorld = (settings: EffectiveSettings, body: TestBody<[World]>) =>
  Effect.gen(function* () {
    const started: Array<RelaySettings> = []
    const events: Array<DaemonEvent> = []
    let level: MemorySample["level"] = "plentiful"
    let living = 0
    let isRefused = false
    let ended = yield* Deferred.make<string>()
    let reports = makeInbox<RelayReport>()
    const current = yield* SubscriptionRef.make(settings)
    const World = Layer.mergeAll(
      Layer.succeed(RelayProcess, {
        start: (given) =>
          Effect.gen(function* () {
            started.push(given)
            if (isRefused) return yield* Effect.fail("could not be started: a test")
            ended = yield* Deferred.make<string>()
            reports = makeInbox<RelayReport>()
            yield* Effect.acquireRelease(
              Effect.sync(() => void living++),
              () => Effect.sync(() => void living--)
            )
            return { ended: Deferred.await(ended), report: reports.take }
          })
      }),
      Layer.succeed(SettingsInForce, settingsOf(current)),
      Layer.mock(MemoryMonitor, { last: Effect.sync(() => ({ ...sampleOf(1), level })) }),
      Concerns.layer
    ).pipe(Layer.provideMerge(recordedEvents(events)))
    return yield* Effect.flatMap(Concerns.Concerns, ({ degraded }) =>
      Effect.zipRight(
        settle,
        Effect.gen(() =>
          body({
            started,
            living: () => living,
            end: (reason) => Effect.zipRight(Deferred.succeed(ended, reason), settle),
            report: (report) =>
              Effect.zipRight(
                Effect.sync(() => reports.add(report)),
                settle
              ),
            reload: (next) => Effect.zipRight(SubscriptionRef.set(current, next), settle),
            become: (next) => void (level = next),
            refuse: (next) => void (isRefused = next),
            events,
            degraded
          })
        )
      )
    ).pipe(Effect.provide(Layer.provideMerge(Relay.layer, World)))
  })

describe("the relay of the daemon", () => {
  it.scoped("runs only as long as the settings give it something to do, also after a reload", () =>
    inWorld(silent, function* ({ living, reload, started }) {
      assert.deepStrictEqual(started, [])
      yield* reload(beating)
      assert.deepStrictEqual(
        [started, living()],
        [[{ heartbeat: { urlFile: "/home/u/url", intervalMs: 60_000 } }], 1]
      )
      yield* reload(inForce({ heartbeat: { url_file: "/home/u/url" }, model: "opus" }))
      assert.lengthOf(started, 1)
      yield* reload(inForce({ heartbeat: { url_file: "/home/u/url", interval_ms: 5000 } }))
      assert.deepStrictEqual([started.length, living()], [2, 1])
      yield* reload(silent)
      assert.deepStrictEqual([started.length, living()], [2, 0])
    })
  )

  it.scoped(
    "starts again after 1, 2, 4 ... 300 seconds, is told of once, and is degraded until it lasts",
    () =>
      inWorld(beating, function* ({ degraded, end, events, started }) {
        for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]) {
          const before = started.length
          yield* end("ended (exit code 1): a test")
          yield* TestClock.adjust(seconds * 1000 - 1)
          assert.lengthOf(started, before)
          yield* TestClock.adjust(1)
          assert.lengthOf(started, before + 1)
        }
        assert.deepStrictEqual(events, [
          { _tag: "RelayEnded", reason: "ended (exit code 1): a test", retryInMs: 1000 }
        ])
        assert.deepStrictEqual(degraded(), ["relay"])
        yield* TestClock.adjust("30 seconds")
        assert.deepStrictEqual(degraded(), [])
        assert.deepStrictEqual(events.slice(1), [{ _tag: "RelayRecovered" }])
        // It has lasted, so that the next failure begins anew.
        yield* TestClock.adjust("10 minutes")
        yield* end("ended")
        assert.deepInclude(events.at(-1), { _tag: "RelayEnded", retryInMs: 1000 })
      })
  )

  it.scoped("never stops the daemon, however often it cannot be started", () =>
    inWorld(silent, function* ({ degraded, events, refuse, reload, started }) {
      refuse(true)
      yield* reload(beating)
      yield* TestClock.adjust("1 hour")
      assert.isAbove(started.length, 10)
      assert.deepStrictEqual(
        events.map(({ _tag }) => _tag),
        ["RelayEnded"]
      )
      assert.deepStrictEqual(degraded(), ["relay"])
      refuse(false)
      yield* TestClock.adjust("6 minutes")
      assert.deepStrictEqual(degraded(), [])
    })
  )

  it.scoped("is not started while memory is critical", () =>
    inWorld(silent, function* ({ become, reload, started }) {
      become("critical")
      yield* reload(beating)
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(started, [])
      become("low")
      yield* TestClock.adjust("5 seconds")
      assert.lengthOf(started, 1)
    })
  )

  it.scoped("tells once that an outlet fails, and once that it works again, across its restarts", () =>
    inWorld(beating, function* ({ degraded, end, events, report }) {
      const failure = { outlet: "heartbeat", problem: "the service answers with status 500" }
      yield* report({ outlet: "heartbeat" })
      yield* report(failure)
      yield* report(failure)
      assert.deepStrictEqual(events, [
        { _tag: "OutletFailed", outlet: "heartbeat", reason: "the service answers with status 500" }
      ])
      assert.deepStrictEqual(degraded(), ["relay: heartbeat"])
      yield* end("ended")
      yield* TestClock.adjust("1 second")
      yield* report(failure)
      assert.deepStrictEqual(degraded(), ["relay: heartbeat", "relay"])
      yield* report({ outlet: "heartbeat" })
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(degraded(), [])
      assert.deepStrictEqual(
        events.map(({ _tag }) => _tag),
        ["OutletFailed", "RelayEnded", "OutletRecovered", "RelayRecovered"]
      )
    })
  )
})
