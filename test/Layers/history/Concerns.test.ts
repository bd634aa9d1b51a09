import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import * as Concerns from "../../../src/Layers/history/Concerns.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"

const concernsTelling = (events: Array<DaemonEvent>) => Layer.provide(Concerns.layer, recordedEvents(events))

const settle = TestClock.adjust(0).pipe(Effect.repeatN(5))

/** Fails in the way given for the first `failures` runs and works for ever after. */
const failing = (failures: number, failure: Effect.Effect<unknown, unknown> = Effect.dieMessage("a bug")) => {
  let runs = 0
  return {
    effect: Effect.suspend(() => (++runs <= failures ? failure : Effect.never)),
    runs: () => runs
  }
}

describe("a concern of the daemon", () => {
  it.scoped("that fails with a defect is reported with its cause, shown as degraded, and restarted", () => {
    const events: Array<DaemonEvent> = []
    return Effect.gen(function* () {
      const { degraded, run } = yield* Concerns.Concerns
      const { effect, runs } = failing(1)
      yield* run("memory monitor", effect)
      yield* settle
      assert.deepStrictEqual(degraded(), ["memory monitor"])
      const [told] = events
      assert.strictEqual(told?._tag === "ConcernFailed" && told.name, "memory monitor")
      assert.match(told?._tag === "ConcernFailed" ? told.cause : "", /a bug/)
      assert.strictEqual(runs(), 1)
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(runs(), 2)
      assert.deepStrictEqual(degraded(), ["memory monitor"])
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(degraded(), [])
      assert.deepStrictEqual(events.at(-1), { _tag: "ConcernRecovered", name: "memory monitor" })
    }).pipe(Effect.provide(concernsTelling(events)))
  })

  for (const [what, failure] of [
    ["ends although it should run for ever", Effect.void],
    ["fails", Effect.fail("no reason")],
    ["is interrupted from inside", Effect.interrupt]
  ] as const) {
    it.scoped(`that ${what} counts as failed too`, () =>
      Effect.gen(function* () {
        const { degraded, run } = yield* Concerns.Concerns
        const { effect, runs } = failing(1, failure)
        yield* run("control server", effect)
        yield* settle
        assert.deepStrictEqual(degraded(), ["control server"])
        yield* TestClock.adjust("1 seconds")
        assert.strictEqual(runs(), 2)
      }).pipe(Effect.provide(concernsTelling([])))
    )
  }

  it.scoped("that fails five times in a minute stops the daemon; four times do not", () =>
    Effect.gen(function* () {
      const { beyondHelp, run } = yield* Concerns.Concerns
      const lost = yield* Deferred.make<string>()
      yield* Effect.fork(Effect.flatMap(beyondHelp, (name) => Deferred.succeed(lost, name)))
      const lucky = failing(4)
      yield* run("lucky", lucky.effect)
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual(lucky.runs(), 5)
      assert.isFalse(yield* Deferred.isDone(lost))
      const hopeless = failing(1000)
      yield* run("hopeless", hopeless.effect)
      for (const seconds of [0, 1, 2, 4, 8]) yield* TestClock.adjust(Duration.seconds(seconds))
      yield* settle
      assert.strictEqual(yield* Deferred.await(lost), "hopeless")
      assert.strictEqual(hopeless.runs(), 5)
    }).pipe(Effect.provide(concernsTelling([])))
  )

  it.scoped("that is vital stops the daemon at its first defect", () => {
    const events: Array<DaemonEvent> = []
    return Effect.gen(function* () {
      const { beyondHelp, run } = yield* Concerns.Concerns
      yield* run("supervisor", failing(1).effect, { vital: true })
      assert.strictEqual(yield* beyondHelp, "supervisor")
      assert.strictEqual(events.at(-1)?._tag, "ConcernBeyondHelp")
    }).pipe(Effect.provide(concernsTelling(events)))
  })

  it.effect("ends with its scope, and that is no defect", () => {
    const events: Array<DaemonEvent> = []
    return Effect.gen(function* () {
      const { run } = yield* Concerns.Concerns
      const scope = yield* Scope.make()
      const ended = yield* Deferred.make<void>()
      yield* Scope.extend(
        run("memory monitor", Effect.ensuring(Effect.never, Deferred.succeed(ended, undefined))),
        scope
      )
      yield* settle
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(yield* Deferred.isDone(ended))
      assert.deepStrictEqual(events, [])
    }).pipe(Effect.provide(concernsTelling(events)))
  })
})
