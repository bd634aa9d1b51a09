import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { ServiceMessage } from "../../Domain/systemd/ServiceMessage.ts"
import { MemoryGuard } from "../guard/MemoryGuard.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { ServiceNotifier } from "../systemd/ServiceNotifier.ts"
import { Supervisor } from "../worker/Supervisor.ts"

/** Messages per watchdog interval, so that one may be late or lost. */
const messagesPerInterval = 3

const make = Effect.gen(function* () {
  const { send, watchdogMs } = yield* ServiceNotifier
  const supervisor = yield* Supervisor
  const guard = yield* MemoryGuard
  const events = yield* DaemonEvents
  const concerns = yield* Concerns
  if (watchdogMs === undefined) return
  const expected = [
    { name: "the supervisor", turn: supervisor.probe },
    { name: "the memory guard", turn: guard.turn }
  ]

  /** Returns when every part has made progress. Publishes one that takes too long: systemd kills the daemon for that. */
  const awaitProgress = Effect.fnUntraced(function* (lastNanos: bigint) {
    const missing = new Set(expected.map(({ name }) => name))
    const turns = yield* Effect.fork(
      Effect.forEach(expected, ({ name, turn }) => Effect.map(turn, () => missing.delete(name)), {
        concurrency: "unbounded",
        discard: true
      })
    )
    const sinceMs = Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos - lastNanos) / 1e6)
    const patienceMs = Math.max(0, watchdogMs / 2 - (yield* sinceMs))
    const inTime = yield* Effect.timeoutOption(Fiber.join(turns), Duration.millis(patienceMs))
    if (Option.isSome(inTime)) return
    const who = [...missing]
    yield* events.publish({ _tag: "TurnMissing", who, forMs: yield* sinceMs, limitMs: watchdogMs })
    yield* Fiber.join(turns)
    yield* events.publish({ _tag: "TurnTaken", who, afterMs: yield* sinceMs })
  })

  const watch = Effect.gen(function* () {
    let lastNanos = yield* Clock.currentTimeNanos
    for (;;) {
      yield* awaitProgress(lastNanos)
      lastNanos = yield* Clock.currentTimeNanos
      yield* send(ServiceMessage.Alive())
      yield* Effect.sleep(Duration.millis(watchdogMs / messagesPerInterval))
    }
  })
  yield* concerns.run("service watchdog", watch)
})

/**
 * Resets systemd's watchdog once every project's actor and the memory guard have made progress since the last time, as
 * the concern `service watchdog`. Does nothing without a watchdog.
 */
export const layer: Layer.Layer<
  never,
  never,
  ServiceNotifier | Supervisor | MemoryGuard | DaemonEvents | Concerns
> = Layer.scopedDiscard(make)
