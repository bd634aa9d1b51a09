import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { MemorySample } from "../../Domain/memory/MemorySample.ts"
import { type SamplesQuestion, samplesSince } from "../../Domain/memory/SampleColumns.ts"
import { afterRestart, isCovered, noSeries, withSample } from "../../Domain/memory/SampleSeries.ts"
import type { SamplesData } from "../../Domain/memory/SamplesData.ts"
import { MinuteBeat } from "../concurrency/MinuteBeat.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { InstanceLock } from "../daemon/InstanceLock.ts"
import { WorkerMemory } from "../guard/WorkerMemory.ts"
import { Concerns } from "../history/Concerns.ts"
import { MemoryMonitor } from "../memory/MemoryMonitor.ts"
import { readSamples, setSamplesAside, writeSamples } from "./SamplesFile.ts"

/** The memory of the machine and of the workers over the last day, restarts of the daemon included. */
export class MemoryTimeline extends Context.Tag("MemoryTimeline")<
  MemoryTimeline,
  { readonly samples: (question: SamplesQuestion) => Effect.Effect<SamplesData> }
>() {}

/** A hanging disk must not hold up the daemon's end. */
const lastSaveLimit = "1 second"

const make = Effect.gen(function* () {
  const monitor = yield* MemoryMonitor
  const workers = yield* WorkerMemory
  const home = yield* AutopilotHome
  const { isLost } = yield* InstanceLock
  const concerns = yield* Concerns
  const beat = yield* MinuteBeat
  const clock = yield* Effect.clock
  const isDue = yield* Effect.makeLatch(false)
  let series = noSeries
  let last: MemorySample | undefined
  let isLoaded = false
  let hasFailed = false

  const machineOf = ({ reading, thresholds }: MemorySample) => ({
    atMs: clock.unsafeCurrentTimeMillis(),
    availableBytes: reading.availableBytes,
    limits: {
      totalBytes: reading.totalBytes,
      lowBytes: thresholds.minAvailableBytes,
      criticalBytes: thresholds.criticalBytes
    }
  })

  const take = (sample: MemorySample) => {
    series = withSample(series, { ...machineOf(sample), trees: workers.held() })
  }

  const load = readSamples.pipe(
    Effect.catchAll(({ message }) =>
      Effect.match(setSamplesAside, {
        onFailure: (error) => error.message,
        onSuccess: (path) => `It is kept as ${path}`
      }).pipe(
        Effect.flatMap((where) => Effect.logWarning(`The memory timeline starts over: ${message}. ${where}`)),
        Effect.as(noSeries)
      )
    ),
    Effect.map((older) => {
      series = afterRestart(older, series)
      isLoaded = true
    })
  )

  const save = Effect.gen(function* () {
    // The keeper of the home finds out: three questions to the disk for this file would be most of its cost.
    if (!isLoaded || (yield* isLost)) return
    yield* writeSamples(series)
    hasFailed = false
  }).pipe(
    Effect.catchAll(({ message }) => {
      const isKnown = hasFailed
      hasFailed = true
      return isKnown ? Effect.void : Effect.logWarning(`The memory timeline is not saved: ${message}`)
    })
  )

  last = yield* monitor.last
  if (last !== undefined) take(last)
  // Runs when memory or workers are sampled anyway, so it wakes up nothing. The trees are those of the last sample of them.
  yield* monitor.observe((sample) => {
    last = sample
    if (!isCovered(series, machineOf(sample))) take(sample)
  })
  yield* workers.observe(() => {
    if (last !== undefined) take(last)
  })
  yield* beat.observe(() => void isDue.unsafeOpen())
  yield* Effect.addFinalizer(() =>
    save.pipe(
      Effect.provideService(AutopilotHome, home),
      Effect.interruptible,
      Effect.timeoutOption(lastSaveLimit)
    )
  )
  // The start does not wait for the file.
  const keeping = Effect.suspend(() => (isLoaded ? Effect.void : load)).pipe(
    Effect.zipRight(Effect.forever(Effect.zipRight(isDue.await, Effect.zipRight(isDue.close, save))))
  )
  yield* concerns.run("memory timeline", keeping)

  return MemoryTimeline.of({
    samples: (question) => Effect.map(Clock.currentTimeMillis, (now) => samplesSince(series, question, now))
  })
})

/** Keeps what the memory monitor and the samples of workers see, and saves it once a minute. */
export const layer: Layer.Layer<
  MemoryTimeline,
  never,
  MemoryMonitor | MinuteBeat | WorkerMemory | AutopilotHome | InstanceLock | Concerns
> = Layer.scoped(MemoryTimeline, make)
