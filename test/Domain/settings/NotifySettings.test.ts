import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { isChannelSecret, maskedChannels } from "../../../src/Domain/settings/NotifySettings.ts"
import { decodeRaw } from "../../../src/Domain/settings/SettingsDecode.ts"
import { renderProblem } from "../../../src/Domain/settings/SettingsProblem.ts"
import { problemsOf, takeApart } from "../../../src/Domain/settings/SettingsProjects.ts"
import { keyPathText } from "../../../src/Domain/toml/KeyPath.ts"
import type { RawSettings } from "../../../src/Domain/toml/RawSettings.ts"

const complaints = (notify: RawSettings): ReadonlyArray<string> =>
  Either.match(decodeRaw({ notify }), {
    onLeft: (problems) =>
      problems.map(({ path, ...problem }) =>
        renderProblem({ key: keyPathText(path.map(String)), ...problem })
      ),
    onRight: () => []
  })

const channel = (phone: RawSettings) => complaints({ to: { phone } })

const kinds = 'an array of "failed", "crash", "limit", "done", "memory", "budget", "daemon" or "recovered"'

describe("[notify]", () => {
  it("tells nobody anything by default", () => {
    const { notify } = Either.getOrThrow(decodeRaw({}))
    assert.deepStrictEqual(notify, {
      kinds: ["failed", "crash", "limit", "done", "memory", "budget", "daemon"],
      minIntervalMs: 900_000,
      quietHours: false,
      quietExcept: ["failed", "daemon"],
      to: {}
    })
  })

  it("takes every type of channel, each with overrides of its own", () => {
    assert.deepStrictEqual(
      complaints({
        quiet_hours: "22:00-07:00",
        to: {
          desk: { type: "desktop", kinds: ["failed"], quiet_hours: false },
          phone: { type: "ntfy", url: "https://ntfy.sh/agents", token_file: "token", min_interval_ms: 0 },
          team: { type: "slack", url_file: "slack.url", quiet_except: [] },
          hook: { type: "webhook", url: "http://10.0.0.2:8080/in?x=1", secret_file: "hook.secret" },
          mail: { type: "command", argv: ["mail", "-s", "agents", "me@example.org"] }
        }
      }),
      []
    )
  })

  it("says which key of which channel is wrong, and what was meant", () => {
    assert.deepStrictEqual(channel({ type: "ntyf" }), [
      'notify.to.phone.type must be "desktop", "ntfy", "slack", "webhook" or "command", not "ntyf". Did you mean "ntfy"?'
    ])
    assert.deepStrictEqual(channel({ type: "discord", url: "https://discord.com/x" }), [
      'notify.to.phone.type must be "desktop", "ntfy", "slack", "webhook" or "command", not "discord": type = "command" reaches it (docs/notifications.md has examples).'
    ])
    assert.deepStrictEqual(channel({}), [
      'notify.to.phone.type is missing: it must be "desktop", "ntfy", "slack", "webhook" or "command".'
    ])
    assert.deepStrictEqual(channel({ type: "slack", url_fil: "x" }), [
      "notify.to.phone.url_fil is not a setting. Did you mean notify.to.phone.url_file?",
      "notify.to.phone.url_file is missing: name a file with mode 0600 that holds the URL, or set url."
    ])
    assert.deepStrictEqual(channel({ type: "desktop", argv: ["x"] }), [
      'notify.to.phone.argv does not go with type = "desktop", which takes kinds, min_interval_ms, quiet_hours and quiet_except.'
    ])
    assert.deepStrictEqual(channel({ type: "webhook", url: "https://x.org", url_file: "x" }), [
      "notify.to.phone.url does not go with url_file: keep one of the two."
    ])
    assert.deepStrictEqual(channel({ type: "ntfy", url: "https://ntfy.sh" }), [
      "notify.to.phone.url must end in a topic, such as https://ntfy.sh/my-agents."
    ])
    assert.deepStrictEqual(channel({ type: "command" }), [
      "notify.to.phone.argv is missing: it must be an array of texts, the program and its arguments."
    ])
    assert.deepStrictEqual(channel({ type: "desktop", kinds: ["failled"] }), [
      `notify.to.phone.kinds must be ${kinds}, not ["failled"].`
    ])
    assert.deepStrictEqual(complaints({ to: { "a b": { type: "desktop" } } }), [
      "notify.to.\"a b\" is not a name for a channel: 1 to 32 letters, digits, '_' or '-'."
    ])
    assert.deepStrictEqual(complaints({ to: { phone: "ntfy" } }), [
      'notify.to.phone must be a table such as { type = "desktop" }.'
    ])
    assert.deepStrictEqual(complaints({ to: 3 }), [
      'notify.to must be a table of channels such as { desk = { type = "desktop" } }, not 3.'
    ])
    assert.deepStrictEqual(complaints({ kindz: [] }), [
      "notify.kindz is not a setting. Did you mean notify.kinds?"
    ])
  })

  it("refuses hours that are none, and two that are the same", () => {
    for (const hours of ["22-7", "24:00-07:00", "22:00-22:00", "2:00-07:00", true])
      assert.match(
        complaints({ quiet_hours: hours }).join(),
        /must be two different times such as "22:00-07:00", or false/
      )
    for (const hours of ["22:00-07:00", "00:00-23:59", "12:30-12:31"])
      assert.deepStrictEqual(complaints({ quiet_hours: hours }), [])
  })

  it("quotes no URL in a message, because the URL is the secret", () => {
    const [problem = ""] = channel({ type: "slack", url: "hooks.slack.com/services/T0/B0/secret" })
    assert.strictEqual(problem, "notify.to.phone.url must be a URL that begins with https:// or http://.")
  })

  it("belongs to the top level", () => {
    const file = takeApart({ projects: { shop: { notify: { kinds: [] } } } })
    assert.deepStrictEqual(
      problemsOf(file, { _tag: "TopLevel" }).map((problem) => problem.path.join(".")),
      ["projects.shop.notify"]
    )
  })

  it("masks URLs wherever settings are shown", () => {
    assert.deepStrictEqual(
      maskedChannels({
        team: { type: "slack", url: "https://hooks.slack.com/secret" },
        chat: { type: "command", argv: ["curl", "https://discord.com/secret"] },
        desk: { type: "desktop" }
      }),
      {
        team: { type: "slack", url: "********" },
        chat: { type: "command", argv: ["curl", "********"] },
        desk: { type: "desktop" }
      }
    )
    assert.isTrue(isChannelSecret(["notify", "to", "team", "url"]))
    assert.isFalse(isChannelSecret(["notify", "to", "team", "url_file"]))
  })
})
