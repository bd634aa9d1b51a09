import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readTextFile } from "../../../src/Layers/files/TextFile.ts"
import { layer, SettingsFile } from "../../../src/Layers/settings/SettingsFile.ts"
import * as EnvFile from "../../../src/Layers/worker/EnvFile.ts"
import { notRoot, unlessMissing } from "../../fixtures/Missing.ts"
import { temporaryFolder } from "../../fixtures/TemporaryFolder.ts"

const file = Effect.map(temporaryFolder, (folder) => {
  const path = join(folder, "file")
  fs.writeFileSync(path, "")
  return path
})

const distrustOf = (path: string) => Effect.map(readTextFile(path), ({ distrust }) => distrust)

const every = /^can be written by every user, and it says what runs as you\. If you trust .*: chmod o-w \//

describe("a small file", () => {
  it.effect("is read whole where its size does not say how much there is", () =>
    Effect.gen(function* () {
      const path = "/proc/self/environ"
      assert.strictEqual(fs.statSync(path).size, 0)
      assert.strictEqual((yield* readTextFile(path)).text, fs.readFileSync(path, "utf8"))
    })
  )
})

describe("a file that decides what runs", () => {
  it.scoped("is refused, as settings and as env file, when every user can write it", () =>
    Effect.gen(function* () {
      const path = yield* file
      fs.chmodSync(path, 0o646)
      assert.match((yield* distrustOf(path)) ?? "", every)
      const { read } = yield* SettingsFile
      const settings = yield* Effect.flip(read(path, { mustExist: true }))
      assert.match(settings.message.replace(`${path}: `, ""), every)
      const environment = yield* EnvFile.EnvFile
      const { reason } = yield* Effect.flip(environment.read(path, { mustExist: true }))
      assert.match(reason, every)
      fs.chmodSync(path, 0o644)
      assert.isUndefined(yield* distrustOf(path))
      yield* read(path, { mustExist: true })
      yield* environment.read(path, { mustExist: true })
    }).pipe(Effect.provide(layer), Effect.provide(EnvFile.layer))
  )

  unlessMissing(notRoot)(
    "is refused when another user owns it, or a group with other users can write it",
    () =>
      Effect.gen(function* () {
        const path = yield* file
        fs.chownSync(path, 65534, 65534)
        assert.match(
          (yield* distrustOf(path)) ?? "",
          /^belongs to nobody \(uid 65534\), .* a copy of your own$/
        )
        fs.chownSync(path, 0, 54321)
        fs.chmodSync(path, 0o664)
        assert.match(
          (yield* distrustOf(path)) ?? "",
          /^can be written by all users of group 54321, .*chmod g-w/
        )
        fs.chownSync(path, 0, 0)
        assert.isUndefined(yield* distrustOf(path), "root's own group")
      })
  )
})
