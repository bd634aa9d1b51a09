import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { commandHere } from "../../fixtures/CommandHere.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

describe("a command with --config", () => {
  it.scopedLive("is refused where there is no such file, whatever the command", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      for (const words of [["status"], ["projects"], ["history"], ["why"], ["stop"]]) {
        const { code, stderr, stdout } = yield* commandHere(home, [...words, "--config", "nope.toml"])
        assert.deepStrictEqual([code, stdout], [1, ""], words.join(" "))
        assert.strictEqual(
          stderr,
          `autopilotd: There is no ${join(home, "nope.toml")}, which --config names. Name a file that exists, or leave --config out.\n`
        )
      }
      fs.writeFileSync(join(home, "there.toml"), "")
      const { stderr } = yield* commandHere(home, ["status", "--config", "there.toml"])
      assert.match(stderr, /No daemon is listening/)
    })
  )
})
