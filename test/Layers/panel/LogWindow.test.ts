import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ProjectName } from "../../../src/Domain/Project.ts"
import type { LogChoice, LogPosition } from "../../../src/Domain/panel/LogChoice.ts"
import { makeLogRow } from "../../../src/Domain/panel/LogRow.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as LogWindow from "../../../src/Layers/panel/LogWindow.ts"
import { rawLine } from "../../../src/Layers/panel/WholeLog.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

const project = ProjectName.make("shop")
const two = (n: number): string => String(n).padStart(2, "0")
const line = (n: number, text = `line ${n}`, stream = "out"): string =>
  `2026-11-22 ${two(Math.floor(n / 3600))}:${two(Math.floor(n / 60) % 60)}:${two(n % 60)}.000 ${stream} ${text}\n`
const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, at) => line(from + at)).join("")

/** A log of 3,000 lines in three files. */
const logOf3000 = Effect.map(temporaryHome, (home) => {
  const path = join(home, "logs/shop/worker.log")
  fs.mkdirSync(dirname(path), { recursive: true })
  fs.writeFileSync(`${path}.2`, lines(0, 1000))
  fs.writeFileSync(`${path}.1`, lines(1000, 2000))
  fs.writeFileSync(path, lines(2000, 3000))
  return { home, path }
})

const rotate = (path: string): void => {
  fs.renameSync(`${path}.1`, `${path}.2`)
  fs.renameSync(path, `${path}.1`)
}

const numbers = ({ rows }: LogWindow.LogWindow): ReadonlyArray<number> =>
  rows.map(({ text }) => Number(/line (\d+)/.exec(text.replace(/<.?mark>/g, ""))?.[1]))

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at)

const row = (choice: LogChoice = {}) => makeLogRow(choice)

const within = <A, E>(home: string, effect: Effect.Effect<A, E, AutopilotHome>) =>
  Effect.provideService(effect, AutopilotHome, pathsBelow(home))

const some = (position: LogPosition | undefined): LogPosition => {
  assert.isDefined(position)
  return position as LogPosition
}

describe("a window of the log", () => {
  it.scopedLive("has the newest lines, and goes back to the first one through all files", () =>
    Effect.gen(function* () {
      const { home } = yield* logOf3000
      let window = yield* within(home, LogWindow.newestLines(project, row()))
      assert.deepStrictEqual(numbers(window), range(2500, 3000))
      assert.strictEqual(window.from, "2026-11-22 00:00:00")
      const seen = [...numbers(window)]
      while (window.older !== undefined) {
        window = yield* within(home, LogWindow.linesBefore(project, window.older, row()))
        seen.unshift(...numbers(window))
      }
      assert.deepStrictEqual(seen, range(0, 3000))
    })
  )

  it.scopedLive("goes on where it was when the files rotate meanwhile", () =>
    Effect.gen(function* () {
      const { home, path } = yield* logOf3000
      const newest = yield* within(home, LogWindow.newestLines(project, row()))
      fs.appendFileSync(path, lines(3000, 3010))
      rotate(path)
      fs.writeFileSync(path, `${lines(3010, 3020)}${line(3020).slice(0, 30)}`)
      const newer = yield* within(home, LogWindow.linesAfter(project, some(newest.newer), row()))
      assert.deepStrictEqual(numbers(newer), range(3000, 3020))
      const older = yield* within(home, LogWindow.linesBefore(project, some(newest.older), row()))
      assert.deepStrictEqual(numbers(older), range(2000, 2500))
      assert.deepStrictEqual(
        numbers(yield* within(home, LogWindow.linesAfter(project, some(newer.newer), row()))),
        []
      )
      // The half line is shown once it is whole.
      fs.appendFileSync(path, line(3020).slice(30))
      assert.deepStrictEqual(
        numbers(yield* within(home, LogWindow.linesAfter(project, some(newer.newer), row()))),
        [3020]
      )
    })
  )

  it.scopedLive("says that nothing older is kept when its file is deleted", () =>
    Effect.gen(function* () {
      const { home, path } = yield* logOf3000
      const first = yield* within(
        home,
        LogWindow.linesAround(project, new Date(2026, 10, 22).getTime(), row())
      )
      for (const each of [path, `${path}.1`, `${path}.2`]) fs.rmSync(each)
      fs.writeFileSync(path, lines(5000, 5005))
      const older = yield* within(home, LogWindow.linesBefore(project, some(first.newer), row()))
      assert.deepStrictEqual([numbers(older), older.older], [[], undefined])
      const fresh = yield* within(home, LogWindow.freshLines(project, some(first.newer), row()))
      assert.deepStrictEqual([numbers(fresh), fresh.isMoreSkipped], [range(5000, 5005), true])
    })
  )

  it.scopedLive("shows the lines around a time, in whichever file they are", () =>
    Effect.gen(function* () {
      const { home } = yield* logOf3000
      const around = (n: number) =>
        within(home, LogWindow.linesAround(project, new Date(2026, 10, 22, 0, 0, n).getTime(), row()))
      for (const n of [0, 1, 999, 1000, 1001, 1500, 2999]) {
        const window = yield* around(n)
        assert.strictEqual(numbers(window)[window.rowsBefore], n)
        assert.deepStrictEqual(numbers(window), range(Math.max(0, n - 250), Math.min(3000, n + 250)))
      }
      const late = yield* around(9000)
      assert.strictEqual(late.rowsBefore, late.rows.length)
    })
  )

  it.scopedLive("searches all files for what matches", () =>
    Effect.gen(function* () {
      const { home, path } = yield* logOf3000
      fs.appendFileSync(path, line(3000, "line 3000 FAILED", "err"))
      const find = (choice: LogChoice) =>
        Effect.map(within(home, LogWindow.newestLines(project, row(choice))), numbers)
      assert.deepStrictEqual(yield* find({ q: "LINE 77" }), [77, ...range(770, 780)])
      assert.deepStrictEqual(yield* find({ stream: "err" }), [3000])
      assert.deepStrictEqual(yield* find({ level: "error" }), [3000])
      assert.deepStrictEqual(yield* find({ q: "nothing" }), [])
    })
  )

  it.scopedLive("has the last of many new lines, and counts the others", () =>
    Effect.gen(function* () {
      const { home, path } = yield* logOf3000
      const { newer } = yield* within(home, LogWindow.newestLines(project, row()))
      const nothing = yield* within(home, LogWindow.freshLines(project, newer, row()))
      assert.deepStrictEqual([numbers(nothing), nothing.skipped], [[], 0])
      fs.appendFileSync(path, lines(3000, 13_000))
      const fresh = yield* within(home, LogWindow.freshLines(project, newer, row()))
      assert.deepStrictEqual(numbers(fresh), range(12_750, 13_000))
      assert.deepStrictEqual([fresh.skipped, fresh.isMoreSkipped], [9750, false])
      const again = yield* within(home, LogWindow.freshLines(project, fresh.newer, row()))
      assert.deepStrictEqual(numbers(again), [])
    })
  )

  it.scopedLive("has lines that are longer than what is read at once, and the raw line", () =>
    Effect.gen(function* () {
      const { home, path } = yield* logOf3000
      const long = "line 3000 ".padEnd(2 ** 20, "x")
      fs.appendFileSync(path, `${line(3000, long)}${line(3001)}`)
      const window = yield* within(home, LogWindow.newestLines(project, row()))
      assert.deepStrictEqual(numbers(window), range(2502, 3002))
      const position = /data-c="([^"]+)"/.exec(window.rows.at(-2)?.text ?? "")?.[1] as LogPosition
      assert.strictEqual(yield* within(home, rawLine(project, position)), line(3000, long).trimEnd())
      const before = yield* within(home, LogWindow.linesBefore(project, position, row()))
      assert.deepStrictEqual(numbers(before).at(-1), 2999)
    })
  )

  it.scopedLive("is empty without a log", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const window = yield* within(home, LogWindow.newestLines(project, row()))
      assert.deepStrictEqual([window.rows, window.bytes, window.newer], [[], 0, undefined])
      const fresh = yield* within(home, LogWindow.freshLines(project, undefined, row()))
      assert.deepStrictEqual([fresh.rows, fresh.skipped], [[], 0])
    })
  )
})
