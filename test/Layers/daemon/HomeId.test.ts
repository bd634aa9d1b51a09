import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import { homeId, knownId } from "../../../src/Layers/daemon/HomeId.ts"

/** A home in which a daemon has run. */
const usedHome = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(join(tmpdir(), "apd-"))),
    (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
  )
  const home = pathsBelow(join(folder, "home"))
  fs.mkdirSync(home.stateDir, { recursive: true })
  const { change, id } = yield* homeId(home)
  assert.isUndefined(change, "a new home has nothing to report")
  fs.writeFileSync(home.historyFile, "")
  return { folder, home, id }
})

const saveWorker = (home: ReturnType<typeof pathsBelow>, id: string) =>
  fs.writeFileSync(join(home.stateDir, "shop.json"), `{"version":1,"workerId":"${id}:shop:uuid"}`)

describe("the id of a home", () => {
  it.scopedLive("that was deleted or overwritten is taken from the saved state, and that is reported", () =>
    Effect.gen(function* () {
      const { home, id } = yield* usedHome
      saveWorker(home, id)
      const damages: ReadonlyArray<readonly [() => void, RegExp]> = [
        [() => fs.rmSync(home.idFile), /\/id was missing; the saved state still had the id/],
        [
          () => fs.writeFileSync(home.idFile, "garbage\n"),
          /\/id held no id; the saved state still had the id/
        ]
      ]
      for (const [damage, said] of damages) {
        damage()
        assert.strictEqual(yield* knownId(home), id)
        const found = yield* homeId(home)
        assert.strictEqual(found.id, id)
        assert.match(found.change ?? "", said)
        assert.strictEqual(fs.readFileSync(home.idFile, "utf8"), `${id}\n`)
        assert.deepStrictEqual(yield* homeId(home), { id, change: undefined })
      }
    })
  )

  it.scopedLive(
    "cannot hang a start with a pipe in the place of its files, and the start says what to do",
    () =>
      Effect.gen(function* () {
        const { home } = yield* usedHome
        for (const file of [home.idFile, home.placeFile]) {
          const text = fs.readFileSync(file, "utf8")
          fs.rmSync(file)
          execFileSync("mkfifo", [file])
          const { message } = yield* Effect.flip(homeId(home))
          assert.include(message, `${file} cannot be used: it is not a regular file. Rename it, or set`)
          assert.isUndefined(yield* knownId(home))
          fs.rmSync(file)
          fs.writeFileSync(file, text)
        }
        execFileSync("mkfifo", [join(home.stateDir, "odd.json")])
        fs.rmSync(home.idFile)
        assert.match((yield* homeId(home)).change ?? "", /\/id was missing/)
      })
  )

  it.scopedLive("that nothing knows any more is a new one, and that is reported", () =>
    Effect.gen(function* () {
      const { home, id } = yield* usedHome
      fs.rmSync(home.idFile)
      const found = yield* homeId(home)
      assert.notStrictEqual(found.id, id)
      assert.match(
        found.change ?? "",
        /\/id was missing, and so is the id in the saved state\. A worker that/
      )
    })
  )

  it.scopedLive(
    "is another one in a copy, also without its file, and stays the same where the home is renamed",
    () =>
      Effect.gen(function* () {
        const { folder, home, id } = yield* usedHome
        saveWorker(home, id)
        const copy = pathsBelow(join(folder, "copy"))
        fs.cpSync(home.root, copy.root, { recursive: true, preserveTimestamps: true })
        const copied = yield* homeId(copy)
        assert.match(copied.id, /^[0-9a-f]{16}$/)
        assert.notStrictEqual(copied.id, id)
        assert.match(copied.change ?? "", /a copy of another home/)
        assert.deepStrictEqual(yield* homeId(copy), { id: copied.id, change: undefined })
        const restored = pathsBelow(join(folder, "restored"))
        fs.cpSync(home.root, restored.root, { recursive: true })
        fs.rmSync(restored.idFile)
        assert.notStrictEqual((yield* homeId(restored)).id, id)
        const renamed = pathsBelow(join(folder, "renamed"))
        fs.renameSync(home.root, renamed.root)
        assert.deepStrictEqual(yield* homeId(renamed), { id, change: undefined })
      })
  )

  it.scopedLive("of a home of an earlier version, which has no place, stays the same", () =>
    Effect.gen(function* () {
      const { home, id } = yield* usedHome
      fs.rmSync(home.placeFile)
      assert.deepStrictEqual(yield* homeId(home), { id, change: undefined })
      assert.isTrue(fs.existsSync(home.placeFile))
    })
  )
})
