import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { historyDialogues } from "../../../src/Domain/cli/HistoryDialogues.ts"
import { lineOf } from "../../../src/Domain/history/HistoryRecord.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as HistoryReader from "../../../src/Layers/history/HistoryReader.ts"
import { runReading } from "../../../src/Programs/cli/DialogueRun.ts"
import { failureCode } from "../../../src/Programs/Failure.ts"
import { callerIn, heard, invocationOf, messageOf, noDaemon } from "../../fixtures/CommandUser.ts"
import { noon } from "../../fixtures/HistoryRecords.ts"
import { blog, historyOf, numbered, shop } from "../../fixtures/HistoryWorld.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

const hourMs = 3_600_000

/** A history of fifty events, one an hour, the last one an hour ago; every second one of another project. */
const told = (...words: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const home = yield* temporaryHome
    const line = (n: number) =>
      lineOf({ at: noon - (50 - n) * hourMs, seq: n, daemon: "a" }, numbered(n, n % 2 === 0 ? shop : blog))
    fs.writeFileSync(historyOf(home), Array.from({ length: 50 }, (_, n) => line(n)).join(""))
    yield* TestClock.setTime(noon)
    const Home = Layer.succeed(AutopilotHome, pathsBelow(home))
    const Reader = Layer.provideMerge(HistoryReader.layer, Layer.mergeAll(Home, noDaemon, callerIn(home)))
    return yield* heard(
      Effect.provide(runReading(historyDialogues.history, invocationOf("history", ...words)), Reader)
    )
  })

/** The numbers of the events that were shown. */
const numbers = (text: string) => [...text.matchAll(/number (\d+)/g)].map(([, n]) => Number(n))

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at)

describe("autopilotd history", () => {
  it.scoped("shows the last twenty events, without a daemon", () =>
    Effect.gen(function* () {
      const { err, out } = yield* told()
      assert.deepStrictEqual(numbers(out), range(30, 50))
      assert.match(out, /^TIME +PROJECT {2}WHAT +REASON\n/)
      assert.strictEqual(err, "")
    })
  )

  it.scoped("shows as many as are asked for, all since a time, or the last of these", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(numbers((yield* told("-n", "3")).out), [47, 48, 49])
      assert.deepStrictEqual(numbers((yield* told("--lines", "0")).out), [])
      assert.deepStrictEqual(numbers((yield* told("--since", "30h")).out), range(20, 50))
      assert.deepStrictEqual(numbers((yield* told("--since", "30h", "-n", "2")).out), [48, 49])
      assert.match((yield* told("--since", "10m")).out, /^No events since 2026-11-22 /)
      assert.deepStrictEqual(numbers((yield* told("--until", "30h", "-n", "3")).out), [18, 19, 20])
      assert.deepStrictEqual(numbers((yield* told("--until", "40h")).out), range(0, 11))
      const between = yield* told("--since", "30 hours ago", "--until", "28h")
      assert.deepStrictEqual(numbers(between.out), [20, 21, 22])
      const crossed = yield* told("--since", "28h", "--until", "30h")
      assert.match(messageOf(crossed.result), /^The time of --until is before that of --since\./)
    })
  )

  it.scoped("shows one project's", () =>
    Effect.gen(function* () {
      const { out } = yield* told("--project", "blog", "-n", "3")
      assert.deepStrictEqual(numbers(out), [45, 47, 49])
      assert.match(out, /^TIME +WHAT +REASON\n/)
    })
  )

  it.scoped("refuses a project that nobody knows, with the names of those that are known", () =>
    Effect.gen(function* () {
      const { out, result } = yield* told("--project", "nope")
      assert.strictEqual(messageOf(result), 'There is no project "nope" here. The projects are: shop, blog.')
      assert.strictEqual(out, "")
    })
  )

  it.scoped("answers a program with one JSON object", () =>
    Effect.gen(function* () {
      const { out } = yield* told("--json", "-n", "2")
      assert.lengthOf(out.split("\n"), 2)
      const { data, message, success } = JSON.parse(out)
      assert.deepStrictEqual([success, message], [true, "2 events"])
      assert.deepStrictEqual(
        data.records.map(({ seq }: { readonly seq: number }) => seq),
        [48, 49]
      )
      assert.deepStrictEqual([data.restarts, data.damaged_lines], [[], 0])
    })
  )

  it.scoped("says which times are understood, and that one is in the future", () =>
    Effect.gen(function* () {
      const { out, result } = yield* told("--since", "2030-01-01")
      assert(Either.isLeft(result))
      assert.strictEqual(failureCode(result.left), "usage")
      assert.strictEqual(
        messageOf(result),
        '--since: "2030-01-01" is in the future.\nTry: autopilotd history --help'
      )
      assert.strictEqual(out, "")
      assert.throws(() => invocationOf("history", "--since", "soon"), /expects a time such as 2h, 1h30m/)
    })
  )
})
