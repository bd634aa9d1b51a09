import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { relayDelayMs } from "../../Domain/relay/RelayChild.ts"
import type { RelayReport } from "../../Domain/relay/RelayReport.ts"
import { type RelaySettings, relaySettingsOf } from "../../Domain/relay/RelaySettings.ts"
import { degradedRelay } from "../../Domain/status/DegradedParts.ts"
import { jsonText } from "../../Domain/text/Printable.ts"
import { runningFor } from "../concurrency/Listeners.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { MemoryMonitor } from "../memory/MemoryMonitor.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import { RelayProcess } from "./RelayProcess.ts"

/** A relay that has lived this long after a failure has recovered. */
const recoveryTime = Duration.seconds(30)

/** A relay that has lived this long starts again after the first delay. */
const steadyMs = 600_000

/** The time between two looks at memory while it is critical. */
const memoryInterval = Duration.seconds(5)

/** The delay after a bug in this file. */
const bugDelay = Duration.minutes(5)

/**
 * Keeps a relay beside the daemon as long as the settings give it something to do. It is no concern: whatever becomes of
 * it, the daemon goes on, and shows it as degraded.
 */
export const layer: Layer.Layer<
  never,
  never,
  RelayProcess | SettingsInForce | MemoryMonitor | Concerns | DaemonEvents
> = Layer.scopedDiscard(
  Effect.gen(function* () {
    const { start } = yield* RelayProcess
    const { changed, now } = yield* SettingsInForce
    const { publish } = yield* DaemonEvents
    const { show } = yield* Concerns
    const memory = yield* MemoryMonitor
    let isFailing = false
    /** The outlets that fail, also across restarts of the relay. */
    const failing = new Set<string>()

    const fails = Effect.fnUntraced(function* (reason: string, retryInMs: number) {
      if (isFailing) return
      isFailing = true
      yield* show(degradedRelay(), true)
      yield* publish({ _tag: "RelayEnded", reason, retryInMs })
    })

    const recovers = Effect.suspend(() => {
      if (!isFailing) return Effect.void
      isFailing = false
      return Effect.zipRight(show(degradedRelay(), false), publish({ _tag: "RelayRecovered" }))
    })

    const hear = Effect.fnUntraced(function* ({ outlet, problem }: RelayReport) {
      if (failing.has(outlet) === (problem !== undefined)) return
      yield* show(degradedRelay(outlet), problem !== undefined)
      if (problem === undefined) {
        failing.delete(outlet)
        yield* publish({ _tag: "OutletRecovered", outlet })
      } else {
        failing.add(outlet)
        yield* publish({ _tag: "OutletFailed", outlet, reason: problem })
      }
    })

    /** With other settings, whatever failed before says nothing. */
    const forget = Effect.gen(function* () {
      isFailing = false
      for (const name of [degradedRelay(), ...[...failing].map((outlet) => degradedRelay(outlet))])
        yield* show(name, false)
      failing.clear()
    })

    const untilThereIsRoom: Effect.Effect<void> = Effect.flatMap(memory.last, (sample) =>
      sample?.level === "critical"
        ? Effect.zipRight(
            Effect.sleep(memoryInterval),
            Effect.suspend(() => untilThereIsRoom)
          )
        : Effect.void
    )

    /** One life of the relay. Returns why it is over. */
    const live = (settings: RelaySettings) =>
      Effect.gen(function* () {
        const { ended, report } = yield* start(settings)
        yield* Effect.forkScoped(Effect.forever(Effect.flatMap(report, hear)))
        yield* Effect.forkScoped(Effect.delay(recovers, recoveryTime))
        return yield* ended
      }).pipe(Effect.scoped, Effect.merge)

    const keep = Effect.fnUntraced(function* (settings: RelaySettings) {
      for (let failures = 1; ; failures++) {
        yield* untilThereIsRoom
        const startedNanos = yield* Clock.currentTimeNanos
        const reason = yield* live(settings)
        const livedMs = Number((yield* Clock.currentTimeNanos) - startedNanos) / 1e6
        if (livedMs >= steadyMs) failures = 1
        const retryInMs = relayDelayMs(failures)
        yield* fails(reason, retryInMs)
        yield* Effect.sleep(Duration.millis(retryInMs))
      }
    })

    const supervise = runningFor(changed, {
      now: () => relaySettingsOf(now()),
      isSame: (one, other) => jsonText(one ?? null) === jsonText(other ?? null),
      run: (settings) => Effect.zipRight(forget, settings === undefined ? Effect.never : keep(settings))
    })
    yield* supervise.pipe(
      Effect.catchAllCause((cause) =>
        Effect.logError("The relay is no longer supervised for a while: this is a bug in autopilotd", cause)
      ),
      Effect.zipRight(show(degradedRelay(), true)),
      Effect.zipRight(Effect.sleep(bugDelay)),
      Effect.forever,
      Effect.forkScoped
    )
  })
)
