import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { HistoryRecord } from "../../Domain/history/HistoryRecord.ts"
import { samplesSince } from "../../Domain/memory/SampleColumns.ts"
import { noSeries } from "../../Domain/memory/SampleSeries.ts"
import type { SamplesData } from "../../Domain/memory/SamplesData.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { ControlClient } from "../control/ControlClient.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { HistoryReader, type HistoryUnreadable } from "../history/HistoryReader.ts"
import { readSamples } from "../status/SamplesFile.ts"
import { signatureOf } from "./RunHistory.ts"

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
    /**
     * The records of the last week of one project and of the daemon, and at least some older ones: for the marks of the
     * chart and for explanations. Reads the file only when it has changed.
     */
    readonly records: (
      project: ProjectName | undefined
    ) => Effect.Effect<ReadonlyArray<HistoryRecord>, HistoryUnreadable>
  }
>() {}

const freshMs = 10_000
const weekMs = 7 * 86_400_000

/** Enough to know the state before the span, and to explain it. */
const atLeast = 200

/** Bounds the memory of the panel. */
const maxRecords = 5000

const make = Effect.gen(function* () {
  const { request } = yield* ControlClient
  const { read } = yield* HistoryReader
  const home = yield* AutopilotHome
  const samples = new Map<number, { readonly slot: number; readonly found: SamplesFound }>()
  const records = new Map<
    string,
    { readonly signature: string; readonly found: ReadonlyArray<HistoryRecord> }
  >()

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
    }),
    records: Effect.fnUntraced(function* (project) {
      const key = project ?? ""
      const signature = yield* Effect.promise(() => signatureOf(home.historyFile))
      const known = records.get(key)
      if (known?.signature === signature) return known.found
      const nowMs = yield* Clock.currentTimeMillis
      const { records: found } = yield* read({
        sinceMs: nowMs - weekMs,
        atLeast,
        limit: maxRecords,
        ...(project === undefined ? {} : { project })
      })
      records.set(key, { signature, found })
      return found
    })
  })
})

export const layer: Layer.Layer<ChartSource, never, ControlClient | HistoryReader | AutopilotHome> =
  Layer.effect(ChartSource, make)
