import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { configShow } from "../../../src/Programs/config/ConfigShow.ts"
import { daemonThat, heard, invocationOf, messageOf, noDaemon } from "../../fixtures/CommandUser.ts"
import { settingsInMemory, settingsPath } from "../../fixtures/SettingsInMemory.ts"

const text = '# mine\r\nmodel = "opus"\t\u00e9'
const ofDaemon = { path: "/srv/d.toml", found: true, text, sha256: "abc" }
const daemon = daemonThat(() => ({ success: true, message: "Settings", data: ofDaemon })).layer

const showing = (client: typeof noDaemon, own: string, ...words: ReadonlyArray<string>) =>
  heard(
    Effect.provide(
      configShow(invocationOf("config", "show", ...words)),
      Layer.merge(client, settingsInMemory(own).layer)
    )
  )

describe("autopilotd config show", () => {
  it.effect("prints the daemon's file byte for byte, and another one with --config or without a daemon", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* showing(daemon, "own")).out, text)
      assert.strictEqual((yield* showing(daemon, "own", "--config", "x.toml")).out, "own")
      assert.strictEqual((yield* showing(noDaemon, text)).out, text)
    })
  )

  it.effect("answers a program with path, text and hash", () =>
    Effect.gen(function* () {
      const { out } = yield* showing(daemon, "", "--json")
      assert.deepStrictEqual(JSON.parse(out), {
        success: true,
        message: "These are the settings in /srv/d.toml",
        data: ofDaemon
      })
    })
  )

  it.effect("prints nothing for an absent file, and says so on standard error", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory("")
      memory.file.found = false
      const { err, out, result } = yield* heard(
        Effect.provide(configShow(invocationOf("config", "show")), Layer.merge(noDaemon, memory.layer))
      )
      assert.isTrue(Either.isRight(result))
      assert.strictEqual(out, "")
      assert.strictEqual(err, `There is no ${settingsPath}: all settings have their defaults.\n`)
    })
  )

  it.effect("does not read the file itself when the daemon refuses", () =>
    Effect.gen(function* () {
      const refusing = daemonThat(() => ({ success: false, message: "It cannot be read" })).layer
      const { out, result } = yield* showing(refusing, "own")
      assert.strictEqual(messageOf(result), "It cannot be read")
      assert.strictEqual(out, "")
    })
  )
})
