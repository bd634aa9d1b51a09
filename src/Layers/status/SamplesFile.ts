import * as fs from "node:fs/promises"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { savedSamples, seriesOf } from "../../Domain/memory/SampleColumns.ts"
import { noSeries, type SampleSeries } from "../../Domain/memory/SampleSeries.ts"
import type { SavedSamples } from "../../Domain/memory/SamplesData.ts"
import { savedSamplesShape } from "../../Domain/memory/SavedSamplesShape.ts"
import { textReader } from "../../Domain/Shape.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { replaceFile } from "../files/AtomicFile.ts"
import { messageOf } from "../files/SystemError.ts"
import { readTextFile } from "../files/TextFile.ts"

/** The file of the memory timeline could not be read, understood or written. */
class SamplesFileError extends Data.TaggedError("SamplesFileError")<{
  readonly path: string
  /** Continues a sentence that begins with the path. */
  readonly reason: string
}> {
  override get message() {
    return `${this.path} ${this.reason}`
  }
}

const savedIn = textReader<SavedSamples>(savedSamplesShape)

/** The series that the last daemon saved; an empty one without a file. */
export const readSamples: Effect.Effect<SampleSeries, SamplesFileError, AutopilotHome> = Effect.gen(
  function* () {
    const { samplesFile: path } = yield* AutopilotHome
    const foreign = new SamplesFileError({ path, reason: "is not a timeline that this version has written" })
    const text = yield* Effect.map(readTextFile(path), (file) => file.text).pipe(
      Effect.catchAll(({ absent, reason }) =>
        absent ? Effect.succeed(undefined) : new SamplesFileError({ path, reason })
      )
    )
    if (text === undefined) return noSeries
    const saved = savedIn(text)
    return (saved && seriesOf(saved)) ?? (yield* foreign)
  }
)

/** Makes room for the next write, also where a folder or a pipe has the name, and keeps what is there for the user. */
export const setSamplesAside = Effect.gen(function* () {
  const { samplesFile: path } = yield* AutopilotHome
  const aside = `${path}.unreadable`
  yield* Effect.tryPromise({
    try: () => fs.rename(path, aside),
    catch: (cause) => new SamplesFileError({ path, reason: `cannot be set aside: ${messageOf(cause)}` })
  })
  return aside
})

/** A crash leaves the former file or the new one. Nothing waits for the disk: a power failure may cost the timeline. */
export const writeSamples = (series: SampleSeries) =>
  Effect.flatMap(AutopilotHome, ({ samplesFile: path }) =>
    Effect.tryPromise({
      try: () => replaceFile(path, `${JSON.stringify(savedSamples(series))}\n`, { isDurable: false }),
      catch: (cause) => new SamplesFileError({ path, reason: `cannot be written: ${messageOf(cause)}` })
    })
  )
