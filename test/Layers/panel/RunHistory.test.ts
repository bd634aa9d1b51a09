import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { lineOf } from "../../../src/Domain/history/HistoryRecord.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import { HistoryReader, layer as HistoryReaderLayer } from "../../../src/Layers/history/HistoryReader.ts"
import * as RunHistory from "../../../src/Layers/panel/RunHistory.ts"
import { historyOf, shop } from "../../fixtures/HistoryWorld.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

const notStarted = (at: number) =>
  lineOf({ at, seq: at, daemon: "d" }, { _tag: "WorkerNotStarted", project: shop, reason: "no such file" })

/** Counts the reads of the file. */
const counted = (count: { reads: number }) =>
  Layer.effect(
    HistoryReader,
    Effect.map(HistoryReader, ({ read }) => ({
      read: (query) =>
        Effect.suspend(() => {
          count.reads++
          return read(query)
        })
    }))
  ).pipe(Layer.provide(HistoryReaderLayer))

describe("the ends of all runs", () => {
  it.scopedLive("are read again only when the file has changed, and are empty without one", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const count = { reads: 0 }
      yield* Effect.gen(function* () {
        const { ends } = yield* RunHistory.RunHistory
        assert.deepStrictEqual(yield* ends, [])
        fs.writeFileSync(historyOf(home), notStarted(1) + notStarted(2))
        const all = yield* Effect.all([ends, ends, ends], { concurrency: "unbounded" })
        assert.deepStrictEqual(
          all.map((each) => each.map(({ atMs }) => atMs)),
          [
            [2, 1],
            [2, 1],
            [2, 1]
          ]
        )
        assert.strictEqual(count.reads, 2)
        fs.appendFileSync(historyOf(home), notStarted(3))
        assert.lengthOf(yield* ends, 3)
        yield* ends
        assert.strictEqual(count.reads, 3)
      }).pipe(
        Effect.provide(
          RunHistory.layer.pipe(
            Layer.provide(counted(count)),
            Layer.provide(Layer.succeed(AutopilotHome, pathsBelow(home)))
          )
        )
      )
    })
  )
})
