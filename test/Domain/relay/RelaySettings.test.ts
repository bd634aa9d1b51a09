import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { settingsFindings } from "../../../src/Domain/doctor/SettingsFindings.ts"
import { relaySettingsElsewhere, relaySettingsOf } from "../../../src/Domain/relay/RelaySettings.ts"
import { decodeRaw } from "../../../src/Domain/settings/SettingsDecode.ts"
import { inForce } from "../../fixtures/SettingsInForce.ts"

const endpointOf = (listen: string | false) => relaySettingsOf(inForce({ metrics: { listen } }))?.endpoint

describe("what a relay has to do", () => {
  it("is nothing by default, and never for a token or an interval alone", () => {
    assert.isUndefined(relaySettingsOf(inForce({})))
    assert.isUndefined(
      relaySettingsOf(
        inForce({ metrics: { token_file: "t", listen: false }, heartbeat: { interval_ms: 5000 } })
      )
    )
  })

  it("for another machine is neither the heartbeat nor the port of this one's daemon", () => {
    const both = inForce({
      heartbeat: { url_file: "/u" },
      metrics: { listen: "127.0.0.1:7421", otlp: "http://127.0.0.1:4318" }
    })
    assert.hasAllKeys(relaySettingsElsewhere(both, undefined), ["otlp"])
    assert.deepStrictEqual(relaySettingsElsewhere(both, 7431)?.endpoint, { host: "127.0.0.1", port: 7431 })
    assert.isUndefined(relaySettingsElsewhere(inForce({ heartbeat: { url_file: "/u" } }), undefined))
  })

  it("has the host and the port of an address", () => {
    assert.deepStrictEqual(endpointOf("127.0.0.1:7421"), { host: "127.0.0.1", port: 7421 })
    assert.deepStrictEqual(endpointOf("[::1]:7421"), { host: "::1", port: 7421 })
    assert.deepStrictEqual(endpointOf("box.lan:80"), { host: "box.lan", port: 80 })
    assert.isUndefined(endpointOf(false))
  })

  it("an address without a host or with an impossible port is refused with an example", () => {
    for (const listen of [
      "7421",
      ":7421",
      "127.0.0.1",
      "127.0.0.1:0",
      "127.0.0.1:65536",
      "::1:7421",
      "http://h:1",
      true
    ]) {
      const problems = Either.getOrThrow(Either.flip(decodeRaw({ metrics: { listen } })))
      assert.include(problems[0]?.reason, '"127.0.0.1:7421" or "[::1]:7421"', String(listen))
    }
  })

  it("doctor warns of metrics that other machines may read without a token", () => {
    const warned = (metrics: Record<string, unknown>) =>
      settingsFindings(inForce({ metrics, worker_command: { type: "Command", argv: ["a"] } }), {
        isRunning: true
      })
        .filter(({ level }) => level === "warning")
        .map(({ text }) => text)
    assert.deepStrictEqual(warned({ listen: "127.0.0.1:7421" }), [])
    assert.deepStrictEqual(warned({ listen: "[::1]:7421" }), [])
    assert.deepStrictEqual(warned({ listen: "0.0.0.0:7421", token_file: "t" }), [])
    assert.deepStrictEqual(warned({ listen: "0.0.0.0:7421" }), [
      "metrics.listen lets other machines read the metrics on 0.0.0.0, and no token is asked for."
    ])
  })
})
