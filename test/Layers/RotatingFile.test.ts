import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as RotatingFile from "../../src/Layers/RotatingFile.ts"
import { eventually, temporaryHome } from "../live/TestDaemon.ts"

const open = (path: string, options: Partial<RotatingFile.RotatingFileOptions> = {}) =>
  Effect.flatMap(RotatingFile.RotatingFiles, (files) =>
    files.open({
      path,
      maxBytes: 1000,
      files: 3,
      maxPendingBytes: 100_000,
      onTrouble: () => Effect.void,
      ...options
    })
  )

const line = (n: number) => Buffer.from(`line ${String(n).padStart(4, "0")}\n`)

const lines = (path: string): ReadonlyArray<string> =>
  fs.existsSync(path) ? fs.readFileSync(path, "utf8").split("\n").slice(0, -1) : []

const settled = (file: RotatingFile.RotatingFile) =>
  eventually(
    "all is written",
    Effect.sync(() => (file.pendingBytes() === 0 ? true : undefined))
  )

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

  it.scopedLive("tells once that it cannot be written, keeps what waits, and tells when it works again", () =>
    Effect.gen(function* () {
      const folder = join(yield* temporaryHome, "log")
      fs.writeFileSync(folder, "a file where the folder should be")
      const told: Array<string | undefined> = []
      const file = yield* open(join(folder, "worker.log"), {
        onTrouble: (reason) => Effect.sync(() => void told.push(reason))
      })
      file.write(line(1))
      yield* eventually(
        "told",
        Effect.sync(() => (told.length > 0 ? true : undefined))
      )
      file.write(line(2))
      fs.rmSync(folder)
      yield* settled(file)
      assert.deepStrictEqual(lines(join(folder, "worker.log")), ["line 0001", "line 0002"])
      assert.lengthOf(told, 2)
      assert.isString(told[0])
      assert.isUndefined(told[1])
    }).pipe(Effect.provide(RotatingFile.layer))
  )

  it.live("has written everything when its scope is closed", () =>
    Effect.gen(function* () {
      const { path, scoped } = yield* Effect.map(temporaryHome, (home) => {
        const path = join(home, "worker.log")
        return {
          path,
          scoped: Effect.scoped(
            Effect.map(open(path, { maxBytes: 1_000_000 }), (file) => {
              for (let n = 0; n < 1000; n++) file.write(line(n))
            })
          )
        }
      })
      yield* scoped
      assert.lengthOf(lines(path), 1000)
    }).pipe(Effect.scoped, Effect.provide(RotatingFile.layer))
  )

  it.scopedLive("that a person has moved away is begun anew", () =>
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
})
