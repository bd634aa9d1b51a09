import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { samplesSince } from "../../Domain/memory/SampleColumns.ts"
import { noSeries } from "../../Domain/memory/SampleSeries.ts"
import type { SamplesData } from "../../Domain/memory/SamplesData.ts"
import { ControlClient } from "../control/ControlClient.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { readSamples } from "../status/SamplesFile.ts"

/** Samples as far as there are any, and why there are none. */
interface SamplesFound {
  readonly samples: SamplesData
  readonly problem?: string
}

/** What the memory chart and the strip of the last hour are drawn of, with or without a daemon. All pages share it. */
export class ChartSource extends Context.Tag("ChartSource")<
  ChartSource,
  {
    /** The samples of the last `spanMs`. They change every ten seconds. */
    readonly samples: (spanMs: number) => Effect.Effect<SamplesFound>
  }
>() {}

const freshMs = 10_000
const make = Effect.gen(function* () {
  const { request } = yield* ControlClient
  const home = yield* AutopilotHome
  const samples = new Map<number, { readonly slot: number; readonly found: SamplesFound }>()

  const kept = (sinceMs: number, nowMs: number): Effect.Effect<SamplesFound> =>
    readSamples.pipe(
      Effect.provideService(AutopilotHome, home),
      Effect.map((series) => ({ samples: samplesSince(series, { sinceMs }, nowMs) })),
      Effect.catchAll(({ message }) =>
        Effect.succeed({ samples: samplesSince(noSeries, { sinceMs }, nowMs), problem: message })
      )
    )

  const ask = (sinceMs: number, nowMs: number): Effect.Effect<SamplesFound> =>
    request({ type: "Samples", since_ms: Math.max(0, sinceMs) }).pipe(
      Effect.flatMap(
        ({ data, message }): Effect.Effect<SamplesFound> =>
          data === undefined || data === null
            ? Effect.succeed({ samples: samplesSince(noSeries, {}, nowMs), problem: message })
            : Effect.succeed({ samples: data })
      ),
      // Without a daemon, or while it does not answer, its file has all but the last minute.
      Effect.catchAll(() => kept(sinceMs, nowMs))
    )

  return ChartSource.of({
    samples: Effect.fnUntraced(function* (spanMs) {
      const nowMs = yield* Clock.currentTimeMillis
      const slot = Math.floor(nowMs / freshMs)
      const known = samples.get(spanMs)
      if (known?.slot === slot) return known.found
      const found = yield* ask(nowMs - spanMs, nowMs)
      samples.set(spanMs, { slot, found })
      return found
    })
  })
})

export const layer: Layer.Layer<ChartSource, never, ControlClient | AutopilotHome> = Layer.effect(
  ChartSource,
  make
)
