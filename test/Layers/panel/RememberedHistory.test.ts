import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { lineOf } from "../../../src/Domain/history/HistoryRecord.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as StoredHistory from "../../../src/Layers/history/HistoryReader.ts"
import * as RememberedHistory from "../../../src/Layers/panel/RememberedHistory.ts"
import { blog, historyOf, numbered, numbersOf, shop } from "../../fixtures/HistoryWorld.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

const line = (at: number, project = shop) => lineOf({ at, seq: at, daemon: "d" }, numbered(at, project))

const { HistoryReader } = StoredHistory

describe("the history that the panel remembers", () => {
  it.scopedLive("is what the files have, after lines, halves of lines, a rotation and a removal", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const path = historyOf(home)
      const place = Layer.succeed(AutopilotHome, pathsBelow(home))
      const remembered = yield* Effect.provide(
        HistoryReader,
        RememberedHistory.layer.pipe(Layer.provide(place))
      )
      const stored = yield* Effect.provide(HistoryReader, StoredHistory.layer.pipe(Layer.provide(place)))
      const isSame = Effect.gen(function* () {
        for (const query of [{}, { limit: 2 }, { sinceMs: 4, atLeast: 1 }, { project: shop, sinceMs: 3 }]) {
          const { records } = yield* remembered.read(query)
          assert.deepStrictEqual(records, (yield* stored.read(query)).records)
        }
        return numbersOf((yield* remembered.read({})).records)
      })

      assert.deepStrictEqual(yield* isSame, [])
      fs.writeFileSync(path, line(1) + line(2, blog))
      assert.deepStrictEqual(yield* isSame, [1, 2])
      fs.appendFileSync(path, `no record\n${line(3)}`)
      assert.deepStrictEqual(yield* isSame, [1, 2, 3])
      assert.strictEqual((yield* remembered.read({})).damaged, 1)
      const half = line(4, blog)
      fs.appendFileSync(path, half.slice(0, 10))
      assert.deepStrictEqual(yield* isSame, [1, 2, 3])
      fs.appendFileSync(path, half.slice(10) + line(5))
      assert.deepStrictEqual(yield* isSame, [1, 2, 3, 4, 5])
      fs.renameSync(path, `${path}.1`)
      assert.deepStrictEqual(yield* isSame, [1, 2, 3, 4, 5])
      fs.writeFileSync(path, line(6))
      assert.deepStrictEqual(yield* isSame, [1, 2, 3, 4, 5, 6])
      fs.rmSync(path)
      fs.rmSync(`${path}.1`)
      assert.deepStrictEqual(yield* isSame, [])
    })
  )
})
