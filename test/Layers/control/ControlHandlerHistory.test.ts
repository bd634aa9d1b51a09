import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { decodeReply } from "../../../src/Domain/control/ControlReply.ts"
import { encodeResponse } from "../../../src/Domain/control/ControlWire.ts"
import { lineOf } from "../../../src/Domain/history/HistoryRecord.ts"
import { lastEvents } from "../../../src/Layers/control/ControlHandler.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as HistoryReader from "../../../src/Layers/history/HistoryReader.ts"
import { noon } from "../../fixtures/HistoryRecords.ts"
import { blog, historyOf, numbered, shop } from "../../fixtures/HistoryWorld.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

const lines = (count: number) =>
  Array.from({ length: count }, (_, n) =>
    lineOf({ at: noon - (count - n) * 1000, seq: n, daemon: "a" }, numbered(n, n % 2 === 0 ? shop : blog))
  ).join("")

const answered = (count: number, question: Omit<Parameters<typeof lastEvents>[0], "type">) =>
  Effect.gen(function* () {
    const home = yield* temporaryHome
    fs.writeFileSync(historyOf(home), lines(count))
    yield* TestClock.setTime(noon)
    const Reader = Layer.provide(HistoryReader.layer, Layer.succeed(AutopilotHome, pathsBelow(home)))
    return yield* Effect.provide(lastEvents({ type: "History", ...question }), Reader)
  })

describe("History on the control socket", () => {
  it.scoped("has the last hundred events, fewer, those since a time, or those of one project", () =>
    Effect.gen(function* () {
      const seqs = (question: Parameters<typeof answered>[1]) =>
        Effect.map(answered(300, question), ({ records }) => records.map(({ seq }) => seq))
      assert.deepStrictEqual(
        yield* seqs({}),
        Array.from({ length: 100 }, (_, n) => 200 + n)
      )
      assert.deepStrictEqual(yield* seqs({ limit: 2 }), [298, 299])
      assert.deepStrictEqual(yield* seqs({ since_ms: noon - 3000 }), [297, 298, 299])
      assert.deepStrictEqual(yield* seqs({ project: blog, limit: 2 }), [297, 299])
    })
  )

  it.scoped("has the first events from one on, whole, so that a follower reads on where it was", () =>
    Effect.gen(function* () {
      const { records } = yield* answered(300, { from: { daemon: "a", seq: 100 }, limit: 2 })
      assert.deepStrictEqual(
        records.map(({ event, seq }) => [seq, event]),
        [
          [100, numbered(100, shop)],
          [101, numbered(101, blog)]
        ]
      )
      const after = yield* answered(300, { from: { daemon: "a", seq: 300 } })
      const elsewhere = yield* answered(300, { from: { daemon: "b", seq: 0 } })
      assert.deepStrictEqual([after.records, elsewhere.records], [[], []])
    })
  )

  it.scoped("is never cut, though longer than one read of the original's client", () =>
    Effect.gen(function* () {
      const data = yield* answered(300, { limit: 200 })
      const line = encodeResponse({ success: true, message: "200 events", data })
      assert.isAbove(line.length, 8192)
      assert.deepStrictEqual(
        Effect.runSync(decodeReply("History", line)).data,
        // What goes through JSON has no brands.
        JSON.parse(JSON.stringify(data))
      )
    })
  )
})
