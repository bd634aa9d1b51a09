import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { notifyFindings } from "../../../src/Domain/doctor/NotifyFindings.ts"
import { decodeRaw } from "../../../src/Domain/settings/SettingsDecode.ts"
import type { RawSettings } from "../../../src/Domain/toml/RawSettings.ts"

const settingsOf = (to: RawSettings) => Either.getOrThrow(decodeRaw({ notify: { to } })).notify

const nothing = { readableByOthers: undefined, failures: new Map<string, string>(), hasDesktop: false }

const slack = { type: "slack", url: "https://hooks.slack.com/s3cr3t" }

describe("doctor on notifications", () => {
  it("says on a desktop how to switch them on, in one line, and nothing elsewhere", () => {
    assert.deepStrictEqual(notifyFindings(settingsOf({}), nothing), [])
    assert.deepStrictEqual(notifyFindings(settingsOf({}), { ...nothing, hasDesktop: true }), [
      {
        about: "Notifications",
        level: "ok",
        text: "Off. On this desktop, run: autopilotd config set notify.to.desk.type desktop"
      }
    ])
  })

  it("names a channel that failed last, but none that the settings do not have any more", () => {
    const failures = new Map([
      ["team", "answered 404: there is nothing at this URL"],
      ["gone", "answered 410"]
    ])
    assert.deepStrictEqual(
      notifyFindings(settingsOf({ team: slack }), { ...nothing, failures }).map(({ level, text }) => [
        level,
        text
      ]),
      [
        ["ok", "1 channel: team."],
        ["warning", "The channel team answered 404: there is nothing at this URL."]
      ]
    )
  })

  it("warns of a settings file with a URL that others may read, and quotes no URL", () => {
    const open = { ...nothing, readableByOthers: "/etc/autopilotd/daemon.toml" }
    const [, found] = notifyFindings(settingsOf({ team: slack }), open)
    assert.match(found?.text ?? "", /^\/etc\/autopilotd\/daemon\.toml holds the URL of a channel/)
    assert.notInclude(JSON.stringify(found), "s3cr3t")
    assert.lengthOf(notifyFindings(settingsOf({ team: { type: "slack", url_file: "x" } }), open), 1)
  })
})
