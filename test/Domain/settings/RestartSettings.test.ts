import { assert, describe, it } from "@effect/vitest"
import { settingsChanges } from "../../../src/Domain/config/SettingsDiff.ts"
import { problemsOfOwn } from "../../../src/Domain/settings/SettingsDecode.ts"
import { provenanceOf } from "../../../src/Domain/settings/SettingsMerge.ts"
import { renderProblem } from "../../../src/Domain/settings/SettingsProblem.ts"
import { settingsReport } from "../../../src/Domain/settings/SettingsReport.ts"
import { keyPathText } from "../../../src/Domain/toml/KeyPath.ts"
import type { RawSettings } from "../../../src/Domain/toml/RawSettings.ts"
import { inForce } from "../../fixtures/SettingsInForce.ts"

const worker_command = { type: "Command", argv: ["agent"] }
const on = (values: unknown): RawSettings => ({ restart: { on: values } })

const complaints = (raw: RawSettings): ReadonlyArray<string> =>
  problemsOfOwn(raw).map(({ path, ...problem }) =>
    renderProblem({ key: keyPathText(path.map(String)), ...problem })
  )

describe("the [restart.on] table", () => {
  it("is inherited by a project key by key", () => {
    const [top, shop] = inForce({
      worker_command,
      restart: { jitter: 0.5, on: { auth: "restart", crash: "stop" } },
      projects: { shop: { restart: { on: { crash: "wait" } } } }
    }).projects
    assert.deepInclude(top.settings.restart.on, { auth: "restart", crash: "stop", budget: "stop" })
    assert.deepInclude(shop?.settings.restart.on, { auth: "restart", crash: "wait", budget: "stop" })
    assert.strictEqual(shop?.settings.restart.jitter, 0.5)
    if (shop === undefined) return
    assert.strictEqual(provenanceOf(shop, "restart.on.auth"), "file")
    assert.strictEqual(provenanceOf(shop, "restart.on.crash"), "file [projects.shop]")
    assert.strictEqual(provenanceOf(shop, "restart.on.budget"), "default")
  })

  it.each<[RawSettings, string]>([
    [
      on({ usage_limt: "wait" }),
      "restart.on.usage_limt is not a setting. Did you mean restart.on.usage_limit?"
    ],
    [{ restart: { max_turns: "stop" } }, "restart.max_turns is not a setting. Did you mean max_turns?"],
    [{ restart: { stalled: "stop" } }, "restart.stalled is not a setting. Did you mean restart.on.stalled?"],
    [on({ crash: "resart" }), 'restart.on.crash must be "restart", "wait" or "stop", not "resart".'],
    [on({ crash: true }), 'restart.on.crash must be "restart", "wait" or "stop", not true.'],
    [on("stop"), 'restart.on must be a table, not "stop".']
  ])("%j is refused with what was meant", (raw, line) => assert.deepStrictEqual(complaints(raw), [line]))

  it("is shown by config check with the source of each value", () => {
    const { settings } = settingsReport(inForce({ worker_command, ...on({ auth: "wait" }) }), () => ({
      values: {},
      warnings: []
    }))
    const shown = settings.filter(({ key }) => key.startsWith("restart.on."))
    assert.strictEqual(shown.length, 13)
    assert.deepInclude(shown, { key: "restart.on.auth", value: "wait", text: '"wait"', source: "file" })
    assert.deepInclude(shown, { key: "restart.on.budget", value: "stop", text: '"stop"', source: "default" })
  })

  it("applies at once on reload, and each change is reported by its key", () => {
    const before = inForce({ worker_command, ...on({ auth: "wait", crash: "stop" }) })
    const after = inForce({ worker_command, ...on({ auth: "wait", crash: "restart", budget: "wait" }) })
    assert.deepStrictEqual(settingsChanges(before, after).changes, [
      { key: "restart.on.crash", from: '"stop"', to: '"restart"', applies: "on-reload" },
      { key: "restart.on.budget", to: '"wait"', applies: "on-reload" }
    ])
  })
})
