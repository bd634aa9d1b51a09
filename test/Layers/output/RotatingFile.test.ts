import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as RotatingFile from "../../../src/Layers/output/RotatingFile.ts"
import { turnOfTheEventLoop } from "../../fixtures/EventLoopTurn.ts"
import { eventually, temporaryHome } from "../../live/TestDaemon.ts"

const small = { maxBytes: 1000, files: 3, minFreeBytes: 0 }

const open = (path: string, options: Partial<RotatingFile.RotatingFileOptions> = {}) =>
  Effect.flatMap(RotatingFile.RotatingFiles, (files) =>
    files.open({
      path,
      limits: () => small,
      maxPendingBytes: 100_000,
      onTrouble: () => Effect.void,
      onLost: () => Effect.void,
      ...options
    })
  )

const line = (n: number) => Buffer.from(`line ${String(n).padStart(4, "0")}\n`)

const lines = (path: string): ReadonlyArray<string> =>
  fs.existsSync(path) ? fs.readFileSync(path, "utf8").split("\n").slice(0, -1) : []

const settled = (file: RotatingFile.RotatingFile) =>
  eventually("all is written", () => file.pendingBytes() === 0)

describe("a rotating file", () => {
  it.scopedLive("never grows over its size, keeps so many files, and loses no line between them", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryHome, "log", "worker.log")
      const file = yield* open(path)
      for (let n = 0; n < 250; n++) {
        assert.isTrue(file.write(line(n)))
        yield* settled(file)
      }
      const kept = [`${path}.2`, `${path}.1`, path]
      for (const each of kept) assert.isAtMost(fs.statSync(each).size, 1000)
      assert.isFalse(fs.existsSync(`${path}.3`))
      const all = kept.flatMap(lines)
      assert.deepStrictEqual(
        all,
        Array.from({ length: all.length }, (_, at) =>
          line(250 - all.length + at)
            .toString()
            .trim()
        )
      )
      assert.strictEqual(fs.statSync(path).mode & 0o777, 0o600)
    }).pipe(Effect.provide(RotatingFile.layer))
  )

  it.scoped("is written once for lines that come shortly after each other, also after a quiet time", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryHome, "worker.log")
      let writes = 0
      const limits = () => {
        writes++
        return small
      }
      const file = yield* open(path, { limits })
      yield* TestClock.adjust("1 hour")
      for (const n of [1, 2]) {
        file.write(line(n))
        for (let turns = 0; turns < 5; turns++) yield* turnOfTheEventLoop
      }
      const early = writes
      yield* TestClock.adjust("5 millis")
      while (file.pendingBytes() > 0) yield* turnOfTheEventLoop
      assert.deepStrictEqual(lines(path), ["line 0001", "line 0002"])
      assert.deepStrictEqual({ early, writes }, { early: 0, writes: 1 })
    }).pipe(Effect.provide(RotatingFile.layer))
  )

  it.scopedLive("takes no more than may wait, and says so at once", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryHome, "worker.log")
      const file = yield* open(path, { maxPendingBytes: 25 })
      assert.isTrue(file.write(line(1)))
      assert.isTrue(file.write(line(2)))
      assert.isFalse(file.write(line(3)))
      yield* settled(file)
      assert.isTrue(file.write(line(4)))
      yield* settled(file)
      assert.deepStrictEqual(lines(path), ["line 0001", "line 0002", "line 0004"])
    }).pipe(Effect.provide(RotatingFile.layer))
  )

  it.scopedLive(
    "reports once that it cannot be written, keeps the waiting lines, and reports when it works again",
    () =>
      Effect.gen(function* () {
        const folder = join(yield* temporaryHome, "log")
        fs.writeFileSync(folder, "a file where the folder should be")
        const told: Array<string | undefined> = []
        const file = yield* open(join(folder, "worker.log"), {
          onTrouble: (reason) => Effect.sync(() => void told.push(reason))
        })
        file.write(line(1))
        yield* eventually("told", () => told.length > 0)
        file.write(line(2))
        fs.rmSync(folder)
        yield* settled(file)
        assert.deepStrictEqual(lines(join(folder, "worker.log")), ["line 0001", "line 0002"])
        assert.lengthOf(told, 2)
        assert.isString(told[0])
        assert.isUndefined(told[1])
      }).pipe(Effect.provide(RotatingFile.layer))
  )

  it.scopedLive("is not written into a pipe in its place, and has all lines once that is removed", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryHome, "worker.log")
      execFileSync("mkfifo", [path])
      const told: Array<string | undefined> = []
      const file = yield* open(path, { onTrouble: (reason) => Effect.sync(() => void told.push(reason)) })
      file.write(line(1))
      const why = yield* eventually(
        "told",
        Effect.sync(() => told[0])
      )
      assert.match(why, /^ESPIPE: a pipe, not a file/)
      fs.rmSync(path)
      yield* settled(file)
      assert.deepStrictEqual(lines(path), ["line 0001"])
    }).pipe(Effect.provide(RotatingFile.layer))
  )

  it.live("has written everything when its scope is closed", () =>
    Effect.gen(function* () {
      const { path, scoped } = yield* Effect.map(temporaryHome, (home) => {
        const path = join(home, "worker.log")
        return {
          path,
          scoped: Effect.scoped(
            Effect.map(open(path, { limits: () => ({ ...small, maxBytes: 1_000_000 }) }), (file) => {
              for (let n = 0; n < 1000; n++) file.write(line(n))
            })
          )
        }
      })
      yield* scoped
      assert.lengthOf(lines(path), 1000)
    }).pipe(Effect.scoped, Effect.provide(RotatingFile.layer))
  )

  it.live("tells at its end how many lines the disk did not take", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryHome, "worker.log")
      // A folder has its name: nothing can be written.
      fs.mkdirSync(path)
      const lost: Array<number> = []
      const onLost = (lines: number) => Effect.sync(() => void lost.push(lines))
      yield* Effect.scoped(
        Effect.map(open(path, { onLost }), (file) => {
          for (let n = 0; n < 1000; n++) file.write(line(n))
        })
      )
      assert.deepStrictEqual(lost, [1000])
    }).pipe(Effect.scoped, Effect.provide(RotatingFile.layer))
  )

  it.scopedLive("is created again after a user has moved it away", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryHome, "worker.log")
      const file = yield* open(path)
      file.write(line(1))
      yield* settled(file)
      fs.renameSync(path, `${path}.mine`)
      file.write(line(2))
      yield* settled(file)
      assert.deepStrictEqual(lines(path), ["line 0002"])
      assert.deepStrictEqual(lines(`${path}.mine`), ["line 0001"])
    }).pipe(Effect.provide(RotatingFile.layer))
  )

  for (const [what, act] of [
    ["is created again after a user has removed it", fs.rmSync],
    ["continues at its beginning after a user has emptied it", fs.truncateSync]
  ] as const) {
    it.scopedLive(what, () =>
      Effect.gen(function* () {
        const path = join(yield* temporaryHome, "worker.log")
        const file = yield* open(path)
        file.write(line(1))
        yield* settled(file)
        act(path)
        file.write(line(2))
        yield* settled(file)
        assert.deepStrictEqual(lines(path), ["line 0002"])
      }).pipe(Effect.provide(RotatingFile.layer))
    )
  }

  it.scopedLive("continues a file of the previous daemon, after a line that its end cut off", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryHome, "worker.log")
      fs.writeFileSync(path, "line 0001\nline 00")
      const file = yield* open(path)
      file.write(line(3))
      yield* settled(file)
      assert.deepStrictEqual(lines(path), ["line 0001", "line 00", "line 0003"])
    }).pipe(Effect.provide(RotatingFile.layer))
  )

  it.scopedLive("is filled to its size however much is written at once, and never splits a line", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryHome, "worker.log")
      const file = yield* open(path, { limits: () => ({ ...small, files: 1000 }) })
      file.write(Buffer.concat(Array.from({ length: 2500 }, (_, n) => line(n))))
      yield* settled(file)
      const rotated = Array.from({ length: 24 }, (_, at) => `${path}.${24 - at}`)
      assert.deepStrictEqual(
        [...rotated, path].map((each) => fs.statSync(each).size),
        Array.from({ length: 25 }, () => 1000)
      )
      assert.deepStrictEqual(
        [...rotated, path].flatMap(lines),
        Array.from({ length: 2500 }, (_, n) => line(n).toString().trim())
      )
    }).pipe(Effect.provide(RotatingFile.layer))
  )

  it.scopedLive("keeps a line that is longer than a whole file, in a file of its own", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryHome, "worker.log")
      const file = yield* open(path)
      file.write(Buffer.concat([line(1), Buffer.from(`${"x".repeat(3000)}\n`), line(2)]))
      yield* settled(file)
      assert.deepStrictEqual([`${path}.2`, `${path}.1`, path].flatMap(lines), [
        "line 0001",
        "x".repeat(3000),
        "line 0002"
      ])
    }).pipe(Effect.provide(RotatingFile.layer))
  )

  it.scopedLive("keeps no more files than it may, also when that has become less", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryHome, "worker.log")
      let files = 8
      const file = yield* open(path, { limits: () => ({ ...small, files }) })
      file.write(Buffer.concat(Array.from({ length: 1000 }, (_, n) => line(n))))
      yield* settled(file)
      assert.isTrue(fs.existsSync(`${path}.7`))
      fs.writeFileSync(`${path}.mine`, "")
      files = 2
      file.write(line(1000))
      yield* settled(file)
      assert.sameMembers(fs.readdirSync(join(path, "..")), ["worker.log", "worker.log.1", "worker.log.mine"])
    }).pipe(Effect.provide(RotatingFile.layer))
  )

  it.scopedLive("is not written while the disk has too little free space, and loses nothing", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryHome, "worker.log")
      const told: Array<string | undefined> = []
      let minFreeBytes = Number.MAX_SAFE_INTEGER
      const file = yield* open(path, {
        limits: () => ({ ...small, minFreeBytes }),
        onTrouble: (reason) => Effect.sync(() => void told.push(reason))
      })
      // A folder that is there can be asked how full its disk is.
      file.write(line(1))
      yield* eventually("told", () => told[0])
      file.write(line(2))
      assert.isFalse(fs.existsSync(path))
      assert.match(told[0] ?? "", /^only .+ are free on its disk, and log\.min_free_bytes keeps .+ free$/)
      minFreeBytes = 0
      yield* settled(file)
      assert.deepStrictEqual(lines(path), ["line 0001", "line 0002"])
      assert.deepStrictEqual(told.slice(1), [undefined])
    }).pipe(Effect.provide(RotatingFile.layer))
  )
})
