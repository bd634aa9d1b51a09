import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { savedSamples } from "../../../src/Domain/memory/SampleColumns.ts"
import { noSeries, withSample } from "../../../src/Domain/memory/SampleSeries.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as ChartSource from "../../../src/Layers/panel/ChartSource.ts"
import { daemonThat } from "../../fixtures/CommandUser.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

const hourMs = 3_600_000
const limits = { totalBytes: 16e9, lowBytes: 2e9, criticalBytes: 1e9 }
const series = (availableBytes: number) =>
  withSample(noSeries, { atMs: Date.now() - 60_000, availableBytes, limits, trees: new Map() })

const inHome = (home: string, answer: () => object | undefined) => {
  const daemon = daemonThat(answer)
  return {
    asked: daemon.asked,
    layer: ChartSource.layer.pipe(
      Layer.provide(daemon.layer),
      Layer.provide(Layer.succeed(AutopilotHome, pathsBelow(home)))
    )
  }
}

const availableOf = Effect.flatMap(ChartSource.ChartSource, ({ samples }) =>
  Effect.map(samples(hourMs), (found) => ({ ...found, samples: found.samples.available_bytes }))
)

describe("what the memory chart is drawn of", () => {
  it.scopedLive("is asked of the daemon at most once in ten seconds, for all pages", () =>
    Effect.flatMap(temporaryHome, (home) => {
      const { asked, layer } = inHome(home, () => ({
        success: true,
        message: "1 sample",
        data: savedSamples(series(7e9)).fine
      }))
      return Effect.gen(function* () {
        for (let page = 0; page < 30; page++) assert.deepStrictEqual(yield* availableOf, { samples: [7e9] })
        // The ten seconds may end meanwhile.
        assert.isAtMost(asked.length, 3)
      }).pipe(Effect.provide(layer))
    })
  )

  it.scopedLive("is the file of the last daemon when none runs, and says why there is none", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const found = () => availableOf.pipe(Effect.provide(inHome(home, () => undefined).layer))
      assert.deepStrictEqual(yield* found(), { samples: [] })
      fs.writeFileSync(join(home, "samples"), JSON.stringify(savedSamples(series(5e9))))
      assert.deepStrictEqual(yield* found(), { samples: [5e9] })
      fs.writeFileSync(join(home, "samples"), "no timeline")
      assert.match((yield* found()).problem ?? "", /samples is not a timeline that this version has written$/)
    })
  )

  it.scopedLive("says what an older daemon says that does not keep samples", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const { layer } = inHome(home, () => ({ success: false, message: 'Unknown request type "Samples"' }))
      assert.deepStrictEqual(yield* Effect.provide(availableOf, layer), {
        samples: [],
        problem: 'Unknown request type "Samples"'
      })
    })
  )
})
