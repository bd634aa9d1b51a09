import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AutopilotHome } from "../../../src/Layers/daemon/AutopilotHome.ts"
import { guiPreferences, rememberAutoStart } from "../../../src/Layers/panel/GuiPreferences.ts"
import * as SettingsFile from "../../../src/Layers/settings/SettingsFile.ts"
import { user } from "../../fixtures/SettingsUser.ts"

const person = Effect.map(user, ({ home, root, write }) => {
  const layers = Layer.merge(SettingsFile.layer, Layer.succeed(AutopilotHome, home))
  const path = join(root, ".autopilot", "gui.toml")
  return {
    path,
    write: (text: string) => write(".autopilot/gui.toml", text),
    text: () => fs.readFileSync(path, "utf8"),
    read: Effect.provide(guiPreferences, layers),
    remember: (on: boolean) => Effect.provide(rememberAutoStart(on), layers)
  }
})

describe("what the panel remembers", () => {
  it.scoped("begins without a file, and is written into one of its user alone", () =>
    Effect.gen(function* () {
      const { path, read, remember } = yield* person
      assert.deepStrictEqual(yield* read, { auto_start: false, embed_origins: [] })
      yield* remember(true)
      assert.isTrue((yield* read).auto_start)
      assert.strictEqual(fs.statSync(path).mode & 0o777, 0o600)
    })
  )

  it.scoped("changes in its place: comments and other keys stay", () =>
    Effect.gen(function* () {
      const { read, remember, text, write } = yield* person
      yield* write("# mine\n[gui]\nport = 7500  # not 7420\n")
      yield* remember(true)
      assert.strictEqual(text(), "# mine\n[gui]\nport = 7500  # not 7420\nauto_start = true\n")
      yield* remember(false)
      assert.deepStrictEqual(yield* read, { port: 7500, auto_start: false, embed_origins: [] })
      assert.include(text(), "# mine")
    })
  )

  it.scoped("is refused with file and line where it is wrong, and then not written over", () =>
    Effect.gen(function* () {
      const { path, read, remember, text, write } = yield* person
      yield* write('[gui]\n\nembed_origins = ["http://*"]\n')
      const { message } = yield* Effect.flip(read)
      assert.include(message, `${path}:3: gui.embed_origins must be an array of origins`)
      assert.include((yield* Effect.flip(remember(true))).message, "gui.embed_origins must be")
      assert.notInclude(text(), "auto_start")
      yield* write("[gui\n")
      assert.include((yield* Effect.flip(read)).message, `${path}:1: this is not valid TOML`)
    })
  )

  it.scoped("is refused where other users may write it: it says which pages may embed the panel", () =>
    Effect.gen(function* () {
      const { path, read, write } = yield* person
      yield* write("[gui]\n")
      fs.chmodSync(path, 0o666)
      assert.include((yield* Effect.flip(read)).message, path)
    })
  )
})
