import { assert, describe, it } from "@effect/vitest"
import { settingKeys } from "../../../src/Domain/config/SettingReference.ts"
import { settingValues } from "../../../src/Domain/settings/SettingKeys.ts"

describe("settingValues", () => {
  it("has the words of each setting, and of `type` those of all kinds of workers", () => {
    const values = settingValues()
    assert.deepStrictEqual(values.get("worker_command.type"), ["Cargo", "Binary", "Command", "Claude"])
    assert.deepStrictEqual(values.get("autostart"), ["true", "false"])
    assert.deepStrictEqual(values.get("restart.recovery_cooldown_ms"), ["false"])
    assert.isUndefined(values.get("model"))
  })
})

describe("settingKeys", () => {
  it("name every setting once, with its default and one line about it", () => {
    const keys = settingKeys().map(({ key }) => key)
    assert.strictEqual(new Set(keys).size, keys.length)
    assert.includeMembers(keys, [
      "working_dir",
      "project",
      "model",
      "max_budget",
      "max_turns",
      "worker_command.type",
      "worker_command.manifest_path",
      "worker_command.path",
      "worker_command.argv",
      "worker_command.args",
      "memory.protect",
      "restart.recovery_cooldown_ms",
      "env",
      "env_file",
      "autostart",
      "watch_config",
      "projects.NAME"
    ])
    for (const { description } of settingKeys()) assert.match(description, /^[A-Z].*[.]$/)
    const byKey = new Map(settingKeys().map((row) => [row.key, row.default]))
    assert.strictEqual(byKey.get("model"), '"sonnet"')
    assert.strictEqual(byKey.get("restart.max_backoff_ms"), "300000")
    assert.strictEqual(byKey.get("memory.worker_limit_bytes"), "false")
    assert.strictEqual(byKey.get("memory.min_available_bytes"), "2 GiB, at most 20 % of the machine")
    assert.strictEqual(byKey.get("project"), "none")
  })
})
