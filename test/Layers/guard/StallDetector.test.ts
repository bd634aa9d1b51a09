import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { fileStamps } from "../../../src/Layers/guard/StallDetector.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

describe("the stamps of watched files", () => {
  it.scoped("change when a file is written, appears or vanishes, also in a watched folder", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const folder = join(home, "sessions")
      const file = join(folder, "one.jsonl")
      const stamps = fileStamps([folder, join(home, "absent")], "stamps")
      const seen = [yield* stamps]
      const expectNew = Effect.map(stamps, (now) => {
        assert.notInclude(seen, now)
        seen.push(now)
      })
      fs.mkdirSync(folder)
      yield* expectNew
      fs.writeFileSync(file, "a")
      fs.utimesSync(file, 5000, 5000)
      fs.utimesSync(folder, 6000, 6000)
      yield* expectNew
      fs.utimesSync(file, 7000, 7000)
      yield* expectNew
      assert.strictEqual(yield* stamps, seen.at(-1))
      fs.rmSync(folder, { recursive: true })
      assert.strictEqual(yield* stamps, seen[0])
    })
  )
})
