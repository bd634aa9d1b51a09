import * as fs from "node:fs"
import { join, resolve } from "node:path"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { parse } from "smol-toml"
import type { Notification } from "../../../src/Domain/notify/Notification.ts"
import { decodeRaw } from "../../../src/Domain/settings/SettingsDecode.ts"
import { utc } from "../../../src/Domain/text/LocalTime.ts"
import { isTable } from "../../../src/Domain/toml/RawSettings.ts"
import { sendTo } from "../../../src/Layers/notify/Sending.ts"
import { httpReceiver } from "../../fixtures/LocalServer.ts"
import { noProgram, unlessMissing } from "../../fixtures/Missing.ts"
import { temporaryFolder } from "../../fixtures/TemporaryFolder.ts"

/** The channels of all settings that docs/notifications.md shows. */
const { to } = (() => {
  const page = fs.readFileSync(resolve(import.meta.dirname, "../../../docs/notifications.md"), "utf8")
  const blocks = [...page.matchAll(/^```toml\n(.*?)^```$/gms)].map(([, toml]) => parse(toml ?? "")["notify"])
  const tables = blocks.flatMap((block) => (isTable(block) && isTable(block["to"]) ? [block["to"]] : []))
  return Either.getOrThrow(decodeRaw({ notify: { to: Object.assign({}, ...tables) } })).notify
})()

/** This process has another home meanwhile, which the examples name. */
const withHome = (home: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = process.env["HOME"]
      process.env["HOME"] = home
      return before
    }),
    (before) =>
      Effect.sync(() => {
        if (before === undefined) delete process.env["HOME"]
        else process.env["HOME"] = before
      })
  )

/** Words that a shell, a header, a form or a chat could stumble over. */
const title = `-t shop: "a" 'b' $HOME \`id\``
const text = `@everyone & <b> 100% =x größer\n${"y".repeat(3000)}`
const notification: Notification = {
  id: "run1-7",
  kind: "failed",
  project: "shop",
  urgency: "critical",
  title,
  text,
  atMs: Date.now(),
  count: 1
}

/** Sends it to a channel of the page, with a file in the home of the user that knows the address of the service. */
const sent = Effect.fnUntraced(function* (name: string, path: string, contentOf: (url: string) => string) {
  const home = yield* temporaryFolder
  const { received, url } = yield* httpReceiver((response) => void response.end("{}"))
  fs.mkdirSync(join(home, path, ".."), { recursive: true })
  fs.writeFileSync(join(home, path), contentOf(url))
  yield* withHome(home)
  const channel = to[name]
  assert(channel !== undefined, `docs/notifications.md has no channel ${name}`)
  yield* Effect.provide(sendTo(channel, notification, utc), NodeHttpClient.layer)
  assert.lengthOf(received, 1)
  const [one] = received
  assert(one !== undefined)
  return one
})

const [curl, jq, apprise] = ["curl", "jq", "apprise"].map((program) => noProgram(program))

describe("the examples of docs/notifications.md", () => {
  unlessMissing(curl, jq)("reach Discord with what it takes, and page nobody", () =>
    Effect.gen(function* () {
      const { body, headers, path } = yield* sent(
        "discord",
        "discord.url",
        (url) => `${url}/api/webhooks/1/s3cr3t\n`
      )
      assert.deepStrictEqual([path, headers["content-type"]], ["/api/webhooks/1/s3cr3t", "application/json"])
      assert.deepStrictEqual(JSON.parse(body), {
        content: `${title}\n${text}`.slice(0, 1900),
        allowed_mentions: { parse: [] }
      })
    })
  )

  unlessMissing(curl)("reach Telegram, with the token in a file", () =>
    Effect.gen(function* () {
      const { body, path } = yield* sent(
        "telegram",
        "telegram.curl",
        (url) => `url = "${url}/botTOKEN/sendMessage"\ndata = "chat_id=ID"\n`
      )
      assert.strictEqual(path, "/botTOKEN/sendMessage")
      assert.deepStrictEqual(Object.fromEntries(new URLSearchParams(body)), {
        chat_id: "ID",
        text: `${title}: ${text}`
      })
    })
  )

  unlessMissing(apprise)("reach what apprise reaches, by its own file of addresses", () =>
    Effect.gen(function* () {
      // Its way to say JSON over HTTP.
      const { body } = yield* sent("mail", ".config/apprise", (url) => `${url.replace("http:", "json:")}/\n`)
      const told = JSON.parse(body)
      assert.deepStrictEqual([told.title, told.message.trimEnd()], [title, text])
    })
  )
})
