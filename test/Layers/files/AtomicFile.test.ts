import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { overwriteNow, replaceFile } from "../../../src/Layers/files/AtomicFile.ts"
import { folder } from "../../fixtures/SettingsWriter.ts"

const aFile = Effect.map(folder, (home) => join(home, "state"))

const replaced = (...args: Parameters<typeof replaceFile>) => Effect.promise(() => replaceFile(...args))

const contentAndMode = (path: string) => [fs.readFileSync(path, "utf8"), fs.statSync(path).mode & 0o777]

describe("A file that is replaced", () => {
  it.scopedLive("has the new content, and mode 0600 unless a mode is given", () =>
    Effect.gen(function* () {
      const path = yield* aFile
      yield* replaced(path, "one")
      assert.deepStrictEqual(contentAndMode(path), ["one", 0o600])
      const blocks = async function* () {
        yield Buffer.from("two ")
        yield Buffer.from("blocks")
      }
      yield* replaced(path, blocks(), { mode: 0o755 })
      assert.deepStrictEqual(contentAndMode(path), ["two blocks", 0o755])
      assert.deepStrictEqual(fs.readdirSync(dirname(path)), ["state"])
    })
  )

  it.scopedLive("takes the place of a symbolic link and leaves its target alone", () =>
    Effect.gen(function* () {
      const path = yield* aFile
      fs.writeFileSync(`${path}.target`, "target")
      fs.symlinkSync(`${path}.target`, path)
      yield* replaced(path, "new")
      assert.isTrue(fs.lstatSync(path).isFile())
      assert.strictEqual(fs.readFileSync(`${path}.target`, "utf8"), "target")
    })
  )

  it.scopedLive("stays as it was when the last check or the rename fails, with no other file beside it", () =>
    Effect.gen(function* () {
      const path = yield* aFile
      yield* replaced(path, "one")
      const beforeRename = () => Promise.reject(new Error("stale"))
      yield* Effect.flip(Effect.tryPromise(() => replaceFile(path, "two", { beforeRename })))
      assert.strictEqual(fs.readFileSync(path, "utf8"), "one")
      fs.mkdirSync(`${path}.folder`)
      yield* Effect.flip(Effect.tryPromise(() => replaceFile(`${path}.folder`, "two")))
      assert.deepStrictEqual(fs.readdirSync(dirname(path)), ["state", "state.folder"])
    })
  )

  it.scopedLive("is cleared of killed writers' temporary files once they are a minute old", () =>
    Effect.gen(function* () {
      const path = yield* aFile
      const old = `.state.${"a".repeat(12)}.new`
      const young = `.state.${"b".repeat(12)}.new`
      const others = [".state.notes.new", `.other.${"a".repeat(12)}.new`]
      const twoMinutesAgo = Date.now() / 1000 - 120
      for (const name of [old, young, ...others]) fs.writeFileSync(join(dirname(path), name), "")
      for (const name of [old, ...others])
        fs.utimesSync(join(dirname(path), name), twoMinutesAgo, twoMinutesAgo)
      yield* replaced(path, "new")
      assert.sameMembers(fs.readdirSync(dirname(path)), ["state", young, ...others])
    })
  )
})

describe("A file that is written over", () => {
  it.scopedLive(
    "stays the same file with the new line, and its length too where the former line was longer",
    () =>
      Effect.gen(function* () {
        const path = yield* aFile
        yield* replaced(path, "[1]\n")
        const { ino } = fs.statSync(path)
        for (const [line, content] of [
          ["[10, 20]\n", "[10, 20]\n"],
          ["[3]\n", "[3]     \n"],
          ['["ü"]\n', '["ü"]  \n']
        ] as const) {
          assert.isTrue(overwriteNow(path, line))
          assert.deepStrictEqual(contentAndMode(path), [content, 0o600])
        }
        assert.strictEqual(fs.statSync(path).ino, ino)
        assert.deepStrictEqual(fs.readdirSync(dirname(path)), ["state"])
      })
  )

  it.scopedLive(
    "is left as it is where a kill could cut the write, and where it is shared or readable by others",
    () =>
      Effect.gen(function* () {
        const path = yield* aFile
        const isRefused = (line: string) => {
          const before = contentAndMode(path)
          assert.isFalse(overwriteNow(path, line))
          assert.deepStrictEqual(contentAndMode(path), before)
        }
        yield* replaced(path, "one\n")
        isRefused(`${"x".repeat(4096)}\n`)
        fs.linkSync(path, `${path}.copy`)
        isRefused("two\n")
        fs.rmSync(`${path}.copy`)
        fs.chmodSync(path, 0o644)
        isRefused("two\n")
        yield* replaced(path, `${"x".repeat(4096)}\n`)
        isRefused("two\n")
        fs.rmSync(path)
        assert.throws(() => overwriteNow(path, "two\n"), "ENOENT")
        fs.symlinkSync("elsewhere", path)
        assert.throws(() => overwriteNow(path, "two\n"), "ELOOP")
      })
  )
})
