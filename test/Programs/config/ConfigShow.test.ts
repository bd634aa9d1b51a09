import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { configShow } from "../../../src/Programs/config/ConfigShow.ts"
import { daemonThat, heard, invocationOf, messageOf, noDaemon } from "../../fixtures/CommandUser.ts"
import { settingsInMemory, settingsPath } from "../../fixtures/SettingsInMemory.ts"

const text = '# mine \u00e9\r\nmodel = "opus"\t'
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
      assert.strictEqual((yield* showing(daemon, "own = 1")).out, text)
      assert.strictEqual((yield* showing(daemon, "own = 1", "--config", "x.toml")).out, "own = 1")
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

  it.effect(
    "masks secrets and leaves every other byte as it is, and prints nothing where it cannot tell them",
    () =>
      Effect.gen(function* () {
        const secrets = `\uFEFF# mine\r
env = { A = "s3cr3t", B = 's3cr3t' } # two
[notify.to]
team = { type = "slack", url = "https://s3cr3t" }
phone.url\t=\t"\\u0068ttps://s3cr3t"\r
phone.url_file = "https://s3cr3t"
[notify.to.chat]
argv = [
  "curl", # quietly
  "https://s3cr3t",
]
kinds = ["failed"]
[projects.shop.env]
"A B" = """
s3cr3t"""
[[projects.list]]
env = 3
`
        const shown = `\uFEFF# mine\r
env = { A = "********", B = "********" } # two
[notify.to]
team = { type = "slack", url = "********" }
phone.url\t=\t"********"\r
phone.url_file = "********"
[notify.to.chat]
argv = "********"
kinds = ["failed"]
[projects.shop.env]
"A B" = "********"
[[projects.list]]
env = "********"
`
        assert.strictEqual((yield* showing(noDaemon, secrets)).out, shown)
        const { out } = yield* showing(noDaemon, secrets, "--json")
        assert.strictEqual(JSON.parse(out).data.text, shown)

        const broken = yield* showing(noDaemon, `url = "s3cr3t"\n= 3\n`)
        assert.strictEqual(broken.out, "")
        assert.strictEqual(
          messageOf(broken.result),
          `${settingsPath} is not valid TOML (line 2), so its secrets cannot be masked, and it is not printed. Find the mistake with: autopilotd config check`
        )
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
