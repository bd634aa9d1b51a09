import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { plansOf, settingsAwaited } from "../../../src/Domain/worker/ProjectPlan.ts"
import { inForce } from "../../fixtures/SettingsInForce.ts"

const claude = { type: "Claude", prompt: "do the work" }

const planOf = (worker: object, agent: boolean) =>
  Either.getOrThrow(plansOf(inForce({ project: "shop", worker_command: worker, metrics: { agent } })))[0]

describe("the telemetry of an agent", () => {
  it("is switched on for Claude Code only, under the name of the project, where the settings want it", () => {
    assert.strictEqual(planOf(claude, true).envDefaults?.["OTEL_RESOURCE_ATTRIBUTES"], "project=shop")
    const command = {
      type: "Command",
      argv: ["claude", "-p", "do it", "--output-format", "stream-json", "--verbose"]
    }
    assert.deepStrictEqual(planOf(command, true).envDefaults, planOf(claude, true).envDefaults)
    assert.notProperty(planOf(claude, false), "envDefaults")
    assert.notProperty(planOf({ type: "Command", argv: ["sleep", "1"] }, true), "envDefaults")
  })

  it("begins with the next start of a worker that runs", () => {
    assert.deepStrictEqual(settingsAwaited(planOf(claude, false), planOf(claude, true)), ["metrics.agent"])
    assert.deepStrictEqual(settingsAwaited(planOf(claude, true), planOf(claude, true)), [])
  })
})
