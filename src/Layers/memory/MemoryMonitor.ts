import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { DaemonEvent } from "../../Domain/history/DaemonEvent.ts"
import type { MemorySample } from "../../Domain/memory/MemorySample.ts"
import { noSamples, type WatchSettings, watchStep } from "../../Domain/memory/MemoryWatch.ts"
import { runningFor } from "../concurrency/Listeners.ts"
import { MinuteBeat } from "../concurrency/MinuteBeat.ts"
import { PlainTimer } from "../concurrency/PlainTimer.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { MemoryReader } from "../machine/MemoryReader.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"

type See = (sample: MemorySample) => void

/** Adds what is called with samples, until the scope closes. */
const observing = (observers: Set<See>) => (see: See) =>
  Effect.acquireRelease(
    Effect.sync(() => void observers.add(see)),
    () => Effect.sync(() => void observers.delete(see))
  )

/** Samples memory. The first sample is taken before the layer is complete. */
export class MemoryMonitor extends Context.Tag("MemoryMonitor")<
  MemoryMonitor,
  {
    /** The last sample; undefined until memory could be read. */
    readonly last: Effect.Effect<MemorySample | undefined>
    /** Takes a sample now; undefined when memory cannot be read. */
    readonly now: Effect.Effect<MemorySample | undefined>
    /** Calls plain code with every sample, until the scope closes: a fiber would cost more than the sample itself. */
    readonly observe: (see: See) => Effect.Effect<void, never, Scope.Scope>
    /** The same with every sample that is not plentiful, and the first one that is plentiful again. */
    readonly shortage: (see: See) => Effect.Effect<void, never, Scope.Scope>
  }
>() {}

const isSame = (one: WatchSettings, other: WatchSettings): boolean =>
  one.pollIntervalMs === other.pollIntervalMs &&
  one.minAvailableBytes === other.minAvailableBytes &&
  one.criticalThresholdBytes === other.criticalThresholdBytes

/** The result of a sample. */
interface Found {
  /** Undefined when memory could not be read. */
  readonly sample: MemorySample | undefined
  readonly reports: ReadonlyArray<DaemonEvent>
  /** The sample for those who hear of a `shortage`. */
  readonly shortage: MemorySample | undefined
  readonly nextMs: number
}

const make = Effect.gen(function* () {
  const { read } = yield* MemoryReader
  const timer = yield* PlainTimer
  const beat = yield* MinuteBeat
  const events = yield* DaemonEvents
  const concerns = yield* Concerns
  const settings = yield* SettingsInForce
  const clock = yield* Effect.clock
  const observers = new Set<See>()
  const ofShortage = new Set<See>()
  let watch = noSamples

  const sample = (wanted: WatchSettings): Found => {
    const sight = read()
    const now = {
      wallMs: clock.unsafeCurrentTimeMillis(),
      monotonicMs: Number(clock.unsafeCurrentTimeNanos()) / 1e6
    }
    const wasShort = watch.last !== undefined && watch.last.level !== "plentiful"
    const { events: reports, nextMs, watch: after } = watchStep(watch, sight, wanted, now)
    watch = after
    const isShort = wasShort || after.last?.level !== "plentiful"
    const seen = sight.reading === undefined ? undefined : after.last
    if (seen !== undefined) for (const see of observers) see(seen)
    return { sample: seen, reports, nextMs, shortage: isShort ? seen : undefined }
  }

  /** Takes samples until one must be reported. The first is taken after `afterMs`, or at once. */
  const sampleUntilFound = (wanted: WatchSettings, afterMs: number): Effect.Effect<Found> =>
    Effect.async((resume) => {
      let cancel = () => {}
      const next = () => {
        try {
          const found = sample(wanted)
          beat.awake()
          if (found.reports.length > 0 || found.shortage !== undefined) resume(Effect.succeed(found))
          else cancel = timer.after(found.nextMs, next)
        } catch (cause) {
          resume(Effect.die(cause))
        }
      }
      if (afterMs > 0) cancel = timer.after(afterMs, next)
      else next()
      return Effect.sync(() => cancel())
    })

  const publish = Effect.fnUntraced(function* ({ reports, shortage }: Found) {
    if (shortage !== undefined) for (const see of ofShortage) see(shortage)
    for (const event of reports) yield* events.publish(event)
  })

  const samples = Effect.fnUntraced(function* (wanted: WatchSettings) {
    let afterMs = 0
    for (;;) {
      const found = yield* sampleUntilFound(wanted, afterMs)
      yield* publish(found)
      afterMs = found.nextMs
    }
  })

  // A defect of the first sample is reported by the concern, and does not prevent the start.
  const { memory } = settings.now()
  yield* Effect.suspend(() => publish(sample(memory))).pipe(Effect.catchAllCause(() => Effect.void))
  const followed = runningFor(settings.changed, { now: () => settings.now().memory, isSame, run: samples })
  yield* concerns.run("memory monitor", followed)
  return MemoryMonitor.of({
    last: Effect.sync(() => watch.last),
    now: Effect.gen(function* () {
      const found = sample(settings.now().memory)
      // The caller hears of a `shortage`, and has the sample already.
      yield* publish({ ...found, shortage: undefined })
      return found.sample
    }),
    observe: observing(observers),
    shortage: observing(ofShortage)
  })
})

/**
 * Samples as often as memory could run out, and at least every `poll_interval_ms`, as a concern of its own. Changed
 * settings apply at once.
 */
export const layer: Layer.Layer<
  MemoryMonitor,
  never,
  MemoryReader | MinuteBeat | Concerns | DaemonEvents | SettingsInForce
> = Layer.scoped(MemoryMonitor, make)
