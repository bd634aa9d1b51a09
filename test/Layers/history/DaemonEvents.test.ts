import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { unnamed } from "../../../src/Domain/Project.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as DaemonEvents from "../../../src/Layers/history/DaemonEvents.ts"
import * as DaemonLog from "../../../src/Layers/history/DaemonLog.ts"
import { OwnOutput, type OwnStream } from "../../../src/Layers/output/OwnOutput.ts"
import { RotatingFiles } from "../../../src/Layers/output/RotatingFile.ts"
import { noHistory } from "../../fixtures/NoHistory.ts"
import { testTimers } from "../../fixtures/PlainTimers.ts"

const silent: OwnStream = {
  kind: "other",
  isOpen: () => true,
  roomBytes: () => 0,
  write: () => undefined,
  leaveOut: () => undefined
}

/** The events of a daemon whose log goes to `lines`. */
const eventsInto = (lines: Array<string>) =>
  DaemonEvents.layer.pipe(
    Layer.provideMerge(DaemonLog.layer),
    Layer.provide(
      Layer.mergeAll(
        noHistory,
        Layer.succeed(AutopilotHome, pathsBelow("/nowhere")),
        Layer.succeed(RotatingFiles, {
          open: () => Effect.succeed({ write: () => true, pendingBytes: () => 0 })
        }),
        Layer.succeed(OwnOutput, {
          out: silent,
          err: silent,
          log: (_, line) => void lines.push(line)
        })
      )
    ),
    // The timer belongs to the clock of the test.
    Layer.provide(testTimers)
  )

const cleared = (count: number) => ({ _tag: "StateCleared", project: unnamed, what: `${count}` }) as const

describe("the events of a daemon", () => {
  it.scoped("are published together a moment later, in order, before whatever else the log has", () => {
    const lines: Array<string> = []
    const published = () => lines.map((line) => Number(/(\d)\D*$/.exec(line)?.[1]))
    return Effect.gen(function* () {
      const { publish } = yield* DaemonEvents.DaemonEvents
      for (const count of [1, 2]) yield* publish(cleared(count))
      assert.deepStrictEqual(lines, [])
      yield* TestClock.adjust("10 millis")
      assert.deepStrictEqual(published(), [1, 2])
      yield* publish(cleared(3))
      yield* Effect.logWarning("warning 4")
      assert.deepStrictEqual(published(), [1, 2, 3, 4])
      yield* publish(cleared(5))
    }).pipe(
      Effect.provide(eventsInto(lines)),
      // The end of the daemon comes before the timer.
      Effect.andThen(() => assert.deepStrictEqual(published(), [1, 2, 3, 4, 5]))
    )
  })

  it.scopedLive("reach each reader in order; a slow one misses the oldest, not the newest", () =>
    Effect.gen(function* () {
      const { follow, followWhile, publish } = yield* DaemonEvents.DaemonEvents
      const { settle } = yield* DaemonLog.DaemonLog
      const begun = yield* Deferred.make<void>()
      const held = yield* Deferred.make<void>()
      const read: Array<string> = []
      const last = yield* Deferred.make<void>()
      const reading = yield* Effect.fork(
        follow(["StateCleared"], ({ what }) =>
          Effect.gen(function* () {
            yield* Deferred.succeed(begun, undefined)
            yield* Deferred.await(held)
            if (read.push(what) === 1025) yield* Deferred.succeed(last, undefined)
          })
        )
      )
      const others: Array<string> = []
      const [isOpen, isShut] = [() => true, () => false]
      yield* Effect.fork(followWhile(isOpen, ({ _tag }) => Effect.sync(() => void others.push(_tag))))
      yield* Effect.fork(followWhile(isShut, () => Effect.dieMessage("an event that is not wanted")))
      yield* Effect.repeat(
        Effect.gen(function* () {
          yield* publish({ ...cleared(0), what: "first" })
          settle()
          yield* Effect.sleep(1)
        }),
        { until: () => Deferred.isDone(begun) }
      )
      for (let count = 1; count <= 2000; count++) yield* publish(cleared(count))
      settle()
      yield* Deferred.succeed(held, undefined)
      yield* Effect.raceFirst(Deferred.await(last), Fiber.join(reading))
      assert.strictEqual(read.at(-1), "2000")
      assert.isAbove(others.length, 1000)
    }).pipe(Effect.provide(eventsInto([])))
  )
})
