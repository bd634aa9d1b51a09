import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { type MemoryReading, unread } from "../Domain/MemoryReading.ts"
import { Concerns } from "./Concerns.ts"
import { ProcFs } from "./ProcFs.ts"
import { SettingsInForce } from "./SettingsInForce.ts"

/** The machine's memory as last read. It is read once before anybody can ask. */
export class MemoryMonitor extends Context.Tag("MemoryMonitor")<
  MemoryMonitor,
  { readonly reading: SubscriptionRef.SubscriptionRef<MemoryReading> }
>() {}

/** Reads every `poll_interval_ms`, as a concern of its own. A new interval begins with a reading. */
export const layer: Layer.Layer<MemoryMonitor, never, ProcFs | Concerns | SettingsInForce> = Layer.scoped(
  MemoryMonitor,
  Effect.gen(function* () {
    const proc = yield* ProcFs
    const concerns = yield* Concerns
    const settings = yield* SettingsInForce
    const reading = yield* SubscriptionRef.make(unread)
    const poll = Effect.flatMap(proc.memory, (now) =>
      now === undefined ? Effect.void : SubscriptionRef.set(reading, now)
    )
    // A defect of the first reading is the concern's to tell, not a reason to refuse the start.
    yield* Effect.catchAllCause(poll, () => Effect.void)
    const readings = settings.current.changes.pipe(
      Stream.map(({ memory }) => memory.pollIntervalMs),
      Stream.changes,
      Stream.flatMap(
        (intervalMs) => Stream.repeatEffectWithSchedule(poll, Schedule.spaced(Duration.millis(intervalMs))),
        { switch: true }
      )
    )
    yield* concerns.run("memory monitor", Stream.runDrain(readings))
    return { reading }
  })
)
