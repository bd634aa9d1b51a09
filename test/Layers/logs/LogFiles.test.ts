import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { type LogFilter, matchesFilter } from "../../../src/Domain/logs/LogFilter.ts"
import { ProjectName, unnamed } from "../../../src/Domain/Project.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as LogFiles from "../../../src/Layers/logs/LogFiles.ts"
import type { LogChoice } from "../../../src/Layers/logs/LogSources.ts"
import * as RotatingFile from "../../../src/Layers/output/RotatingFile.ts"
import { eventually, temporaryHome } from "../../live/TestDaemon.ts"

const logIn = (home: string): string => join(home, "logs/default/worker.log")

/** A home whose worker has left these files, the oldest first. */
const homeWith = (files: ReadonlyArray<string>) =>
  Effect.map(temporaryHome, (home) => {
    const path = logIn(home)
    fs.mkdirSync(dirname(path), { recursive: true })
    files.forEach((text, at) => {
      const number = files.length - 1 - at
      fs.writeFileSync(number === 0 ? path : `${path}.${number}`, text, "latin1")
    })
    return home
  })

const below = (home: string) => Layer.provide(LogFiles.layer, Layer.succeed(AutopilotHome, pathsBelow(home)))

const onlyUnnamed: LogChoice = { projects: [unnamed], daemon: false }

/** Lines whose text contains this one. */
const saying = (text: string) => ({ isWanted: (line: string) => line.slice(28).includes(text) })

const read = (home: string, query: Partial<LogFiles.LogQuery> = {}) =>
  Effect.flatMap(LogFiles.LogFiles, (files) =>
    Stream.runCollect(files.read(onlyUnnamed, { last: undefined, follow: false, ...query }))
  ).pipe(
    Effect.map((chunks) => [...chunks].flatMap(({ lines }) => lines)),
    Effect.provide(below(home))
  )

/** What a follower has seen so far, while it follows. */
const follow = Effect.fnUntraced(function* (home: string, query: Partial<LogFiles.LogQuery> = {}) {
  const seen: Array<string> = []
  const files = yield* Effect.provide(LogFiles.LogFiles, below(home))
  yield* Effect.forkScoped(
    Stream.runForEach(files.read(onlyUnnamed, { last: undefined, follow: true, ...query }), ({ lines }) =>
      Effect.sync(() => void seen.push(...lines))
    )
  )
  return {
    seen,
    until: (count: number) => eventually(`${count} lines were seen`, () => seen.length >= count)
  }
})

const minute = (n: number): string => String(n % 60).padStart(2, "0")
const stored = (n: number, text = `line ${n}`, stream = "out"): string =>
  `2026-11-22 ${minute(Math.floor(n / 3600))}:${minute(Math.floor(n / 60))}:${minute(n)}.000 ${stream} ${text}\n`
const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => stored(from + at))
const bare = (lines: ReadonlyArray<string>) => lines.map((line) => line.slice(0, -1))

describe("the log files of a worker", () => {
  it.scopedLive("are read from the oldest to the newest", () =>
    Effect.gen(function* () {
      const all = numbered(0, 9)
      const home = yield* homeWith([
        all.slice(0, 3).join(""),
        all.slice(3, 5).join(""),
        all.slice(5).join("")
      ])
      assert.deepStrictEqual(yield* read(home), bare(all))
      assert.deepStrictEqual(yield* read(home, { last: 5 }), bare(all.slice(-5)))
      assert.deepStrictEqual(yield* read(home, { last: 0 }), [])
      assert.deepStrictEqual(yield* read(home, { last: 100 }), bare(all))
    })
  )

  it.scopedLive("say nothing where there are none, and name the projects that have some", () =>
    Effect.gen(function* () {
      const home = yield* homeWith([stored(1)])
      fs.mkdirSync(join(home, "logs/empty"))
      fs.mkdirSync(join(home, "logs/old"))
      fs.writeFileSync(join(home, "logs/old/worker.log.3"), stored(1))
      fs.writeFileSync(join(home, "logs/autopilotd.log"), "")
      const files = yield* Effect.provide(LogFiles.LogFiles, below(home))
      assert.deepStrictEqual(yield* files.projects, [unnamed, ProjectName.make("old")])
      fs.rmSync(join(home, "logs"), { recursive: true })
      assert.deepStrictEqual(yield* files.projects, [])
      assert.deepStrictEqual(yield* read(home), [])
    })
  )

  it.scopedLive("are searched by time, text and stream", () =>
    Effect.gen(function* () {
      const lines = [
        stored(1, "alpha"),
        stored(2, "beta", "err"),
        stored(3, "worker started, pid 7", "---"),
        stored(4, "alpha\xff"),
        stored(5, "gamma", "err")
      ]
      const home = yield* homeWith([lines.slice(0, 2).join(""), lines.slice(2).join("")])
      const found = (query: Partial<LogFiles.LogQuery>) =>
        Effect.map(read(home, query), (some) => some.map((line) => line.slice(28)))
      assert.deepStrictEqual(yield* found({ ...saying("alpha") }), ["alpha", "alpha\xff"])
      assert.deepStrictEqual(yield* found({ ...saying("alpha"), last: 1 }), ["alpha\xff"])
      assert.deepStrictEqual(yield* found({ ...saying("\xff") }), ["alpha\xff"])
      assert.deepStrictEqual(yield* found({ ...saying("2026") }), [])
      assert.deepStrictEqual(yield* found({ onlyErrors: true }), ["beta", "gamma"])
      assert.deepStrictEqual(yield* found({ since: "2026-11-22 00:00:03.000" }), [
        "worker started, pid 7",
        "alpha\xff",
        "gamma"
      ])
      assert.deepStrictEqual(yield* found({ since: "2026-11-22 00:00:02.001", last: 2, ...saying("a") }), [
        "alpha\xff",
        "gamma"
      ])
    })
  )

  it.scopedLive("end with half a line when the daemon was killed in the middle of it", () =>
    Effect.gen(function* () {
      const home = yield* homeWith([stored(1), `${stored(2)}2026-11-22 00:00:0`])
      assert.deepStrictEqual((yield* read(home, { last: 2 })).at(-1), "2026-11-22 00:00:0")
      assert.lengthOf(yield* read(home), 3)
    })
  )

  it.scopedLive(
    "are found the same from their end as from their beginning, however long lines and files are",
    () =>
      Effect.gen(function* () {
        const lengths = FastCheck.array(
          FastCheck.oneof(
            FastCheck.integer({ min: 0, max: 40 }),
            FastCheck.constantFrom(16_000, 65_500, 65_536, 70_000, 200_000)
          ),
          { maxLength: 25 }
        )
        const query = FastCheck.record(
          {
            since: FastCheck.integer({ min: 0, max: 30 }).map((n) => stored(n).slice(0, 23)),
            text: FastCheck.constantFrom("x", "1", "nowhere"),
            onlyErrors: FastCheck.boolean(),
            last: FastCheck.integer({ min: 0, max: 12 })
          },
          { requiredKeys: [] }
        )
        const cuts = FastCheck.array(FastCheck.integer({ min: 0, max: 25 }), { maxLength: 4 })
        const story = FastCheck.tuple(lengths, cuts, query)
        for (const [sizes, at, given] of FastCheck.sample(story, { numRuns: 60, seed: 20261122 })) {
          const lines = sizes.map((size, n) =>
            stored(n, `${n}${"x".repeat(size)}`, n % 3 === 0 ? "err" : "out")
          )
          const places = [
            0,
            ...at.map((place) => Math.min(place, lines.length)).toSorted((a, b) => a - b),
            lines.length
          ]
          const files = places.slice(1).map((to, index) => lines.slice(places[index], to).join(""))
          const { text, ...others } = given
          const filter: LogFilter = { ...others, ...(text === undefined ? {} : saying(text)) }
          const wanted = bare(lines).filter((line) => matchesFilter(filter, line))
          const expected =
            given.last === undefined
              ? wanted
              : wanted.slice(wanted.length - Math.min(given.last, wanted.length))
          const home = yield* homeWith(files)
          assert.deepStrictEqual(
            yield* read(home, { ...filter, ...(given.last === undefined ? {} : { last: given.last }) }),
            expected,
            JSON.stringify(given)
          )
        }
      })
  )

  it.scopedLive("are followed across rotations, each line once", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const follower = yield* follow(home)
      const file = yield* Effect.flatMap(RotatingFile.RotatingFiles, (files) =>
        files.open({
          path: logIn(home),
          limits: () => ({ maxBytes: 5000, files: 900, minFreeBytes: 0 }),
          maxPendingBytes: 10_000_000,
          onTrouble: () => Effect.void,
          onLost: () => Effect.void
        })
      )
      const all = numbered(0, 7000)
      for (let at = 0; at < all.length; ) {
        // Sometimes less than a file, sometimes many files between two looks.
        const count = at % 7 === 0 ? 1 : 900
        file.write(Buffer.from(all.slice(at, at + count).join("")))
        at += count
        yield* Effect.sleep("8 millis")
      }
      yield* follower.until(all.length)
      assert.deepStrictEqual(follower.seen, bare(all))
    }).pipe(Effect.provide(RotatingFile.layer))
  )

  it.scopedLive("are followed when a user moves, removes or empties them", () =>
    Effect.gen(function* () {
      const home = yield* homeWith([stored(1), stored(2)])
      const path = logIn(home)
      const follower = yield* follow(home, { last: 1 })
      yield* follower.until(1)
      fs.renameSync(path, `${path}.mine`)
      fs.appendFileSync(`${path}.mine`, stored(3))
      yield* follower.until(2)
      fs.appendFileSync(path, stored(4))
      yield* follower.until(3)
      fs.rmSync(path)
      fs.appendFileSync(path, stored(5))
      yield* follower.until(4)
      fs.truncateSync(path)
      fs.appendFileSync(path, "shorter\n")
      yield* follower.until(5)
      assert.deepStrictEqual(follower.seen, [
        ...bare([stored(2), stored(3), stored(4), stored(5)]),
        "shorter"
      ])
    })
  )

  it.scopedLive("are followed by whole lines, also when one is written in pieces", () =>
    Effect.gen(function* () {
      const home = yield* homeWith([""])
      const follower = yield* follow(home)
      // The half is read with the line before it.
      fs.appendFileSync(logIn(home), stored(1) + stored(2).slice(0, 30))
      yield* follower.until(1)
      assert.deepStrictEqual(follower.seen, bare([stored(1)]))
      fs.appendFileSync(logIn(home), stored(2).slice(30))
      yield* follower.until(2)
      assert.deepStrictEqual(follower.seen, bare([stored(1), stored(2)]))
    })
  )
})

describe("the logs of several projects", () => {
  const write = (home: string, name: string, lines: ReadonlyArray<string>) => {
    fs.mkdirSync(join(home, "logs", name), { recursive: true })
    fs.appendFileSync(join(home, "logs", name, "worker.log"), lines.join(""))
  }

  const all: LogChoice = { projects: "all", daemon: true }
  const named = ({
    lines,
    project = unnamed
  }: {
    lines: ReadonlyArray<string>
    project?: ProjectName | undefined
  }) => lines.map((line) => `${project} ${line.slice(28)}`)

  const readAll = (home: string, query: Partial<LogFiles.LogQuery> = {}) =>
    Effect.flatMap(LogFiles.LogFiles, (files) =>
      Stream.runCollect(files.read(all, { last: undefined, follow: false, ...query }))
    ).pipe(
      Effect.map((chunks) => [...chunks].flatMap(named)),
      Effect.provide(below(home))
    )

  it.scopedLive("are one story by time; the last lines are those of all together", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      write(home, "blog", [
        stored(1, "a"),
        "no stamp, so it stays where it is: here\n",
        stored(4, "d"),
        stored(9, "z")
      ])
      write(home, "shop", [stored(2, "b"), stored(3, "c"), stored(5, "e")])
      fs.writeFileSync(join(home, "logs/autopilotd.log"), "2026-11-22 00:00:03.500 WARN  shop: low\n")
      const story = [
        "blog a",
        "blog it is: here",
        "shop b",
        "shop c",
        "default   shop: low",
        "blog d",
        "shop e",
        "blog z"
      ]
      assert.deepStrictEqual(yield* readAll(home), story)
      for (const last of [0, 1, 3, 5, 100])
        assert.deepStrictEqual(yield* readAll(home, { last }), last === 0 ? [] : story.slice(-last))
      const since = { since: "2026-11-22 00:00:03.100" }
      // Nobody knows how old a line without a stamp is.
      assert.deepStrictEqual(yield* readAll(home, since), ["blog it is: here", ...story.slice(4)])
    })
  )

  it.scopedLive("are followed, also those of projects that come later", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      write(home, "blog", [stored(1, "old"), stored(2, "a")])
      const files = yield* Effect.provide(LogFiles.LogFiles, below(home))
      const seen: Array<string> = []
      yield* Effect.forkScoped(
        Stream.runForEach(files.read(all, { last: 1, follow: true }), (some) =>
          Effect.sync(() => void seen.push(...named(some)))
        )
      )
      const until = (line: string) => eventually(`${line} is seen`, () => seen.includes(line))
      yield* until("blog a")
      write(home, "shop", [stored(3, "b")])
      yield* until("shop b")
      write(home, "blog", [stored(4, "c")])
      yield* until("blog c")
      assert.deepStrictEqual(seen, ["blog a", "shop b", "blog c"])
    })
  )
})

describe("a pattern that would never end", () => {
  it.scopedLive("fails with what to do", () =>
    Effect.gen(function* () {
      const home = yield* homeWith([stored(1, `${"a".repeat(5000)}b`)])
      const endless = { isWanted: (line: string) => /(a+)+$/.test(line) }
      for (const last of [undefined, 5]) {
        const failed = yield* Effect.flip(read(home, { ...endless, last }))
        assert.match(
          failed.message,
          /^The pattern of --grep takes too long on one of the lines\. Write it without/
        )
      }
    })
  )
})
