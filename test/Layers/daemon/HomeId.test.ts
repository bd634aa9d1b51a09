import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import { homeId, knownId } from "../../../src/Layers/daemon/HomeId.ts"
import { temporaryFolder } from "../../fixtures/TemporaryFolder.ts"

/** A home in which a daemon has run. */
const usedHome = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const home = pathsBelow(join(folder, "home"))
  fs.mkdirSync(home.stateDir, { recursive: true })
  const { change, id } = yield* homeId(home)
  assert.isUndefined(change, "a new home has nothing to report")
  fs.writeFileSync(home.historyFile, "")
  return { folder, home, id }
})

const saveWorker = (home: ReturnType<typeof pathsBelow>, id: string) =>
  fs.writeFileSync(join(home.stateDir, "shop.json"), `{"version":1,"workerId":"${id}:shop:uuid"}`)

const makePipe = (path: string) => assert.strictEqual(spawnSync("mkfifo", [path]).status, 0)

describe("the id of a home", () => {
  it.scopedLive(
    "that was deleted, overwritten or replaced by a pipe is taken from the saved state, and that is reported",
    () =>
      Effect.gen(function* () {
        const { home, id } = yield* usedHome
        saveWorker(home, id)
        const damages: ReadonlyArray<readonly [() => void, RegExp]> = [
          [() => fs.rmSync(home.idFile), /\/id was missing; the saved state still had the id/],
          [
            () => fs.writeFileSync(home.idFile, "garbage\n"),
            /\/id held no id; the saved state still had the id/
          ],
          // Nobody writes into these pipes: whoever opened one for reading would wait for ever.
          [
            () => {
              fs.rmSync(home.idFile)
              makePipe(home.idFile)
              makePipe(join(home.stateDir, "a.json"))
            },
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

  it.scopedLive("that no file has any more is a new one, and that is reported", () =>
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
    "is a new one in a copy, also without its file, and stays the same where the home is renamed",
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

  it.scopedLive("stays the same in a home of an earlier version, which has no id.place", () =>
    Effect.gen(function* () {
      const { home, id } = yield* usedHome
      fs.rmSync(home.placeFile)
      assert.deepStrictEqual(yield* homeId(home), { id, change: undefined })
      assert.isTrue(fs.existsSync(home.placeFile))
    })
  )
})
