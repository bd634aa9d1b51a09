import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { lineOf } from "../../../src/Domain/history/HistoryRecord.ts"
import { PlainTimer } from "../../../src/Layers/concurrency/PlainTimer.ts"
import {
  anyEvent,
  blog,
  historyOf,
  keepAll,
  linesOf,
  numbered,
  numbersOf,
  readHistory,
  shop,
  withHistory,
  withReader
} from "../../fixtures/HistoryWorld.ts"
import { promisesWith } from "../../fixtures/SettingsWriter.ts"
import { eventually, temporaryHome } from "../../live/TestDaemon.ts"

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at)

/** A record of another time. */
const oldLine = (at: number, n: number) => lineOf({ at, seq: n, daemon: "old" }, numbered(n))

const dayMs = 86_400_000

/** The first error in the daemon's log. */
const errorIn = (logged: ReadonlyArray<string>) =>
  eventually("an error is logged", () => logged.find((line) => line.startsWith("error")))

const numbersIn = (home: string) => Effect.map(readHistory(home), ({ records }) => numbersOf(records))

describe("the history", () => {
  it.scopedLive("runs one search at a time, so that many searches do not delay a status", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.writeFileSync(
        historyOf(home),
        range(0, 10)
          .map((n) => oldLine(n, n))
          .join("")
      )
      let open = 0
      let most = 0
      yield* promisesWith("open", (original) => async (...args) => {
        const file = await original(...args)
        if (args[0] !== historyOf(home)) return file
        most = Math.max(most, ++open)
        const close = file.close.bind(file)
        return Object.assign(file, { close: () => close().finally(() => open--) })
      })
      const all = yield* withReader(home, ({ read }) =>
        Effect.all(
          range(0, 30).map(() => read({})),
          { concurrency: "unbounded" }
        )
      )
      for (const { records } of all) assert.deepStrictEqual(numbersOf(records), range(0, 10))
      assert.deepStrictEqual([open, most], [0, 1])
    })
  )

  it.scopedLive("has every event in its order, with its time, its number and the daemon's run", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const before = Date.now()
      yield* keepAll(
        home,
        range(0, 300).map((n) => numbered(n))
      )
      yield* keepAll(home, [numbered(300)])
      const { damaged, records } = yield* readHistory(home)
      assert.deepStrictEqual(numbersOf(records), range(0, 301))
      assert.deepStrictEqual(
        records.map(({ seq }) => seq),
        [...range(0, 300), 0]
      )
      assert.strictEqual(new Set(records.map(({ daemon }) => daemon)).size, 2)
      for (const { at } of records) assert.isTrue(at >= before && at <= Date.now())
      assert.strictEqual(damaged, 0)
      assert.strictEqual(fs.statSync(historyOf(home)).mode & 0o777, 0o600)
    })
  )

  it.scopedLive("returns every event as it was published", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const events = FastCheck.sample(anyEvent, 500)
      yield* keepAll(home, events)
      const { records } = yield* readHistory(home)
      assert.deepStrictEqual(
        records.map(({ at: _at, daemon: _daemon, seq: _seq, ...event }) => event),
        events
      )
    })
  )

  it.scopedLive("can be read a moment after the event, while the daemon runs", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* withHistory(home, ({ append }) =>
        Effect.forEach(range(0, 5), (n) =>
          Effect.gen(function* () {
            append(numbered(n))
            yield* eventually(
              `number ${n}`,
              Effect.map(numbersIn(home), (numbers) => (numbers.length === n + 1 ? true : undefined))
            )
          })
        )
      )
    })
  )

  it.scopedLive("has what an answer speaks of before the answer, which waits for no further events", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      // No time that the history gives to further events passes.
      const never = { after: () => () => undefined }
      yield* withHistory(home, ({ append, recorded }) =>
        Effect.forEach(range(0, 20), (n) =>
          Effect.gen(function* () {
            append(numbered(n))
            yield* recorded
            assert.deepStrictEqual(yield* numbersIn(home), range(0, n + 1))
          })
        )
      ).pipe(Effect.provideService(PlainTimer, never))
    })
  )

  it.scoped("holds up one answer for a second, and no other, while its disk is silent", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      let unblock = (): void => undefined
      const blocked = new Promise<void>((resolve) => {
        unblock = resolve
      })
      yield* promisesWith(
        "open",
        (original) =>
          async (...args) =>
            args[0] === historyOf(home) ? blocked.then(() => original(...args)) : original(...args)
      )
      yield* withHistory(home, ({ append, recorded }) =>
        Effect.gen(function* () {
          append(numbered(0))
          const held = yield* Effect.fork(recorded)
          yield* TestClock.adjust("999 millis")
          assert.isTrue(Option.isNone(yield* Fiber.poll(held)))
          yield* TestClock.adjust("1 millis")
          yield* Fiber.join(held)
          append(numbered(1))
          yield* recorded
          unblock()
          yield* Effect.promise(() =>
            vi.waitFor(() => assert.strictEqual(linesOf(historyOf(home)).length, 2), { timeout: 60_000 })
          )
        })
      )
    })
  )

  it.scopedLive("leaves out repeated reports of a lasting state", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* keepAll(home, [
        numbered(0),
        { _tag: "OutputDropped", project: shop, lines: 5, reason: "the disk is slow" },
        { _tag: "EnvFileDoubtful", project: shop, warning: "others can read it" },
        numbered(1)
      ])
      const { records } = yield* readHistory(home)
      assert.deepStrictEqual(
        records.map(({ seq }) => seq),
        [0, 1]
      )
    })
  )

  it.scopedLive(
    "is repaired by the next start after a crash that cut its last line, and loses nothing else",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const path = historyOf(home)
        const whole = lineOf({ at: 1, seq: 9, daemon: "old" }, numbered(9))
        for (let length = 0; length <= whole.length; length++) {
          fs.writeFileSync(path, oldLine(1, 1) + oldLine(2, 2) + whole.slice(0, length))
          const isThere = length >= whole.length - 1
          const expected = isThere ? [1, 2, 9] : [1, 2]
          const found = yield* readHistory(home)
          assert.deepStrictEqual([numbersOf(found.records), found.damaged], [expected, 0])
          yield* keepAll(home, [numbered(10)])
          const after = yield* readHistory(home)
          assert.deepStrictEqual([numbersOf(after.records), after.damaged], [[...expected, 10], 0])
          for (const line of linesOf(path)) JSON.parse(line)
        }
      })
  )

  it.scopedLive("is repaired also when a power loss has left zeros at its end", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      for (const zeros of [1, 4096, 200_000]) {
        fs.writeFileSync(historyOf(home), Buffer.concat([Buffer.from(oldLine(1, 1)), Buffer.alloc(zeros)]))
        yield* keepAll(home, [numbered(2)])
        assert.deepStrictEqual(yield* numbersIn(home), [1, 2])
      }
    })
  )

  it.scopedLive("is read without its damaged lines, and reports their number", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const garbage = ["", "{", '{"at":"yesterday"}', "[1]", "\u0000\u0000", '{"at":1,"seq":-1,"daemon":"x"}']
      fs.writeFileSync(
        historyOf(home),
        Buffer.concat([
          Buffer.from(oldLine(1, 1)),
          Buffer.from(`${garbage.join("\n")}\n`),
          Buffer.from([0xff, 0xfe, 0x0a]),
          Buffer.from(oldLine(2, 2))
        ])
      )
      yield* keepAll(home, [numbered(3)])
      const { damaged, records } = yield* readHistory(home)
      assert.deepStrictEqual(numbersOf(records), [1, 2, 3])
      assert.strictEqual(damaged, garbage.length + 1)
    })
  )

  it.scopedLive("skips events of a newer version, which count as no damage", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const foreign = [
        '{"at":1,"seq":0,"daemon":"new","_tag":"Teleported","to":"Mars"}',
        '{"at":2,"seq":1,"daemon":"new","_tag":"WorkerStopped","becauseOf":7}'
      ]
      fs.writeFileSync(historyOf(home), `${oldLine(1, 1)}${foreign.join("\n")}\n${oldLine(2, 2)}`)
      const { damaged, records } = yield* readHistory(home)
      assert.deepStrictEqual([numbersOf(records), damaged], [[1, 2], 0])
      // The last one may lack its newline: it is not taken away for being foreign.
      fs.writeFileSync(historyOf(home), foreign.join("\n"))
      yield* keepAll(home, [numbered(3)])
      assert.deepStrictEqual(linesOf(historyOf(home)).slice(0, 2), foreign)
    })
  )

  it.scopedLive("never grows over its size, keeps one older file, and loses nothing between them", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const path = historyOf(home)
      const act = ({ append }: { readonly append: (event: DaemonEvent) => void }) =>
        Effect.gen(function* () {
          let n = 0
          for (const burst of [1, 1, 3, 40, 100, 1, 7, 60]) {
            for (const last = n + burst; n < last; n++) append(numbered(n))
            yield* eventually(
              "all is written",
              Effect.map(numbersIn(home), (numbers) => (numbers.at(-1) === n - 1 ? true : undefined))
            )
            for (const each of [path, `${path}.1`].filter((one) => fs.existsSync(one))) {
              assert.isAtMost(fs.statSync(each).size, 5000)
            }
            const numbers = yield* numbersIn(home)
            assert.deepStrictEqual(numbers, range(n - numbers.length, n))
            // What is left fills at least the older file.
            assert.isTrue(n < 30 || numbers.length >= 30, String(numbers.length))
          }
        })
      yield* withHistory(home, act, { limits: { maxBytes: 5000, maxAgeDays: 36_500 } })
      assert.sameMembers(fs.readdirSync(home), ["history.jsonl", "history.jsonl.1"])
    })
  )

  it.scopedLive("removes old records from both files, and nothing younger", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const path = historyOf(home)
      const now = Date.now()
      const daysAgo = (days: number, n: number) => oldLine(now - days * dayMs, n)
      const forgotten = (expected: ReadonlyArray<number>) =>
        eventually(
          "forgotten",
          Effect.map(numbersIn(home), (numbers) => (numbers.length === expected.length ? numbers : undefined))
        )
      const run = (expected: ReadonlyArray<number>) =>
        withHistory(
          home,
          () => Effect.map(forgotten(expected), (numbers) => assert.deepStrictEqual(numbers, expected)),
          { limits: { maxBytes: 1_000_000, maxAgeDays: 10 } }
        )
      fs.writeFileSync(`${path}.1`, daysAgo(30, 1) + daysAgo(20, 2))
      fs.writeFileSync(path, daysAgo(12, 3) + daysAgo(11, 4) + daysAgo(9, 5) + daysAgo(1, 6))
      yield* run([5, 6])
      assert.sameMembers(fs.readdirSync(home), ["history.jsonl"])
      assert.strictEqual(fs.statSync(path).mode & 0o777, 0o600)

      // A clock that was wrong for a while is no reason to forget what came before it.
      fs.writeFileSync(`${path}.1`, daysAgo(30, 1) + daysAgo(9, 2))
      fs.writeFileSync(path, daysAgo(8, 3) + oldLine(5000, 4) + daysAgo(1, 5))
      yield* run([2, 3, 4, 5])

      fs.writeFileSync(path, daysAgo(50, 1) + daysAgo(40, 2))
      fs.rmSync(`${path}.1`)
      yield* run([])
      assert.deepStrictEqual(fs.readdirSync(home), [])
    })
  )

  it.scopedLive("removes many old records from a large file, and keeps the others byte for byte", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const path = historyOf(home)
      const now = Date.now()
      const lines = range(0, 3000).map((n) => oldLine(now - (n < 1700 ? 20 : 5) * dayMs, n))
      fs.writeFileSync(path, lines.join(""))
      yield* withHistory(home, ({ append }) => Effect.sync(() => append(numbered(3000))), {
        limits: { maxBytes: 10_000_000, maxAgeDays: 10 }
      })
      const kept = lines.slice(1700).join("")
      yield* eventually("forgotten", () => fs.readFileSync(path, "utf8").startsWith(kept.slice(0, 200)))
      const text = fs.readFileSync(path, "utf8")
      assert.isTrue(text.startsWith(kept))
      assert.strictEqual(text.slice(kept.length).split("\n").length, 2)
    })
  )

  it.scopedLive("that cannot be written is reported once, waits, and is reported again when it works", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const path = historyOf(home)
      fs.mkdirSync(path)
      const logged: Array<string> = []
      yield* withHistory(
        home,
        ({ append }) =>
          Effect.gen(function* () {
            append(numbered(0))
            assert.match(yield* errorIn(logged), /^error: The history cannot be written, .*EISDIR/)
            append(numbered(1))
            fs.rmdirSync(path)
            yield* eventually(
              "written",
              Effect.map(numbersIn(home), (numbers) => (numbers.length === 2 ? true : undefined))
            )
          }),
        { logged }
      )
      assert.deepStrictEqual(yield* numbersIn(home), [0, 1])
      assert.deepStrictEqual(logged.filter((line) => !line.startsWith("warning")).slice(1), [
        "info: The history is writable again"
      ])
    })
  )

  it.scopedLive(
    "limits the waiting events, reports that once, and has the number of lost events in their place",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const path = historyOf(home)
        fs.mkdirSync(path)
        const logged: Array<string> = []
        const filler = "x".repeat(1000)
        const count = 1500
        let lostInAll = 0
        yield* withHistory(
          home,
          ({ append, lost: lostSoFar }) =>
            Effect.gen(function* () {
              for (const n of range(0, count)) {
                append({ _tag: "StateCleared", project: shop, what: `number ${n} ${filler}` })
              }
              yield* errorIn(logged)
              fs.rmdirSync(path)
              yield* eventually("written", () =>
                logged.some((line) => line.includes("missing in the history"))
              )
              append(numbered(count))
              lostInAll = lostSoFar()
            }),
          { logged }
        )
        const { records } = yield* readHistory(home)
        const kept = numbersOf(records)
        const lost = records.flatMap((record) => (record._tag === "EventsLost" ? [record.events] : []))
        assert.deepStrictEqual(kept, [...range(0, kept.length - 1), count])
        assert.isAbove(kept.length, 800)
        assert.deepStrictEqual(lost, [count - (kept.length - 1)])
        assert.strictEqual(lostInAll, lost[0])
        assert.strictEqual(records.at(-2)?._tag, "EventsLost")
        assert.lengthOf(
          logged.filter((line) => line.includes("drops events")),
          1
        )
      })
  )

  it.scopedLive("does not delay the shutdown when the disk takes nothing", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.mkdirSync(historyOf(home))
      const logged: Array<string> = []
      yield* withHistory(
        home,
        ({ append }) =>
          Effect.zipRight(
            Effect.sync(() => append(numbered(0))),
            errorIn(logged)
          ),
        { logged }
      )
    })
  )
})

describe("the end of the daemon", () => {
  it.scoped("waits two seconds at most for a disk that does not answer", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const reached = yield* Deferred.make<void>()
      yield* promisesWith("open", () => () => {
        Effect.runSync(Deferred.succeed(reached, undefined))
        return new Promise(() => undefined)
      })
      const run = yield* Effect.fork(
        withHistory(home, ({ append }) => Effect.sync(() => append(numbered(0))))
      )
      yield* Deferred.await(reached)
      yield* TestClock.adjust("1900 millis")
      assert.isTrue(Option.isNone(yield* Fiber.poll(run)))
      yield* TestClock.adjust("200 millis")
      yield* Fiber.join(run)
    })
  )
})

describe("reading the history", () => {
  it.scopedLive("of a home without one finds nothing, and that is no failure", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* readHistory(yield* temporaryHome), { records: [], damaged: 0 })
    })
  )

  it.scopedLive("that cannot be read says which file it is and why", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.mkdirSync(historyOf(home))
      const { message } = yield* Effect.flip(readHistory(home))
      assert.match(message, /^The history in .*history\.jsonl cannot be read: it is a folder, not a file\.$/)
    })
  )

  it.scopedLive("that is a pipe is refused at once, to a reader and to the daemon: it would hang both", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      execFileSync("mkfifo", [historyOf(home)])
      const { message } = yield* Effect.flip(readHistory(home))
      assert.match(message, /cannot be read: it is a pipe, not a file\.$/)
      const logged: Array<string> = []
      const publish = withHistory(
        home,
        ({ append, recorded }) =>
          Effect.zipRight(
            Effect.sync(() => void append(numbered(1))),
            recorded
          ),
        { logged }
      )
      yield* publish
      assert.match(logged.join("\n"), /^error: The history cannot be written, .*: ESPIPE: a pipe, not a file/)
      assert.isTrue(fs.statSync(historyOf(home)).isFIFO())
    })
  )

  it.scopedLive(
    "finds the last ones, those since a time, and those of one project with the daemon's own",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const line = (n: number) =>
          lineOf(
            { at: n * 1000, seq: n, daemon: "old" },
            n % 100 === 99
              ? { _tag: "SettingsRefused", by: "a test", reason: `number ${n}` }
              : numbered(n, n % 2 === 0 ? shop : blog)
          )
        fs.writeFileSync(`${historyOf(home)}.1`, range(0, 2000).map(line).join(""))
        fs.writeFileSync(historyOf(home), range(2000, 3000).map(line).join(""))
        const seqs = (query: Parameters<typeof readHistory>[1]) =>
          Effect.map(readHistory(home, query), ({ records }) => records.map(({ seq }) => seq))
        assert.deepStrictEqual(yield* seqs({}), range(0, 3000))
        assert.deepStrictEqual(yield* seqs({ limit: 0 }), [])
        assert.deepStrictEqual(yield* seqs({ limit: 5 }), range(2995, 3000))
        assert.deepStrictEqual(yield* seqs({ limit: 1500 }), range(1500, 3000))
        assert.deepStrictEqual(yield* seqs({ sinceMs: 1_234_000 }), range(1234, 3000))
        assert.deepStrictEqual(yield* seqs({ sinceMs: 2_990_001, limit: 5 }), range(2995, 3000))
        assert.deepStrictEqual(yield* seqs({ sinceMs: 3_000_000 }), [])
        const ofBlog = (n: number) => n % 2 === 1
        assert.deepStrictEqual(yield* seqs({ project: blog }), range(0, 3000).filter(ofBlog))
        assert.deepStrictEqual(yield* seqs({ project: blog, limit: 3 }), [2995, 2997, 2999])
        const ofShop = (n: number) => n % 2 === 0 || n % 100 === 99
        assert.deepStrictEqual(
          yield* seqs({ project: shop, sinceMs: 1_000_000 }),
          range(1000, 3000).filter(ofShop)
        )
      })
  )

  it.scopedLive("does not stop at a record whose clock was wrong", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const lines = [oldLine(9000, 1), oldLine(9100, 2), oldLine(5, 3), oldLine(9200, 4)]
      fs.writeFileSync(historyOf(home), lines.join(""))
      const { records } = yield* readHistory(home, { sinceMs: 9000 })
      assert.deepStrictEqual(numbersOf(records), [1, 2, 4])
    })
  )

  it.scopedLive("returns a character whole that crosses the boundary of two blocks", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const what = (n: number) => `${"€😀".repeat((n * 7) % 400)}${n}`
      yield* keepAll(
        home,
        range(0, 700).map((n) => ({ _tag: "StateCleared", project: shop, what: what(n) }))
      )
      const { damaged, records } = yield* readHistory(home)
      assert.deepStrictEqual(
        records.flatMap((record) => (record._tag === "StateCleared" ? [record.what] : [])),
        range(0, 700).map(what)
      )
      assert.strictEqual(damaged, 0)
      assert.isAbove(fs.statSync(historyOf(home)).size, 5 * 64 * 1024)
    })
  )
})
