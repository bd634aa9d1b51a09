import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { writeMetrics } from "../../../src/Layers/metrics/MetricsFile.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

describe("the file of the metrics", () => {
  it.scopedLive("is replaced as a whole, and everybody may read it", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryHome
      const path = join(folder, "autopilotd.prom")
      yield* writeMetrics(path, "first\n")
      yield* writeMetrics(path, "second\n")
      assert.strictEqual(fs.readFileSync(path, "utf8"), "second\n")
      assert.strictEqual(fs.statSync(path).mode & 0o777, 0o644)
      assert.deepStrictEqual(fs.readdirSync(folder), ["autopilotd.prom"])
    })
  )

  it.scopedLive("replaces nothing but a regular file, and says why", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryHome
      const link = join(folder, "stdout")
      fs.symlinkSync("/dev/null", link)
      const { message } = yield* Effect.flip(writeMetrics(link, "text\n"))
      assert.include(message, `could not be written to ${link}: it exists, and is not a regular file`)
      assert.isTrue(fs.lstatSync(link).isSymbolicLink())
      const gone = yield* Effect.flip(writeMetrics(join(folder, "none/a.prom"), "text\n"))
      assert.include(gone.message, "ENOENT")
    })
  )
})
