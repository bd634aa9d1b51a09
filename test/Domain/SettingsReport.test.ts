import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import type { EffectiveSettings } from "../../src/Domain/EffectiveSettings.ts"
import type { RawSettings } from "../../src/Domain/RawSettings.ts"
import { decodeRaw } from "../../src/Domain/SettingsDecode.ts"
import { settingKeys } from "../../src/Domain/SettingKeys.ts"
import { mergeSettings } from "../../src/Domain/SettingsMerge.ts"
import { renderReport, settingsReport } from "../../src/Domain/SettingsReport.ts"
import { findWorker, NoWorkerCommand } from "../../src/Domain/WorkerCommand.ts"

const effective = (file: RawSettings, more: Partial<EffectiveSettings> = {}): EffectiveSettings => {
  const { provenance, raw } = mergeSettings({ file, environment: {}, commandLine: { model: "opus" } })
  return {
    settings: Either.getOrThrow(decodeRaw(raw)),
    provenance,
    settingsFile: { path: "/home/u/.autopilot/daemon.toml", found: true },
    envFile: { path: "/home/u/.autopilot/env", mustExist: false },
    worker: Either.right({
      command: { _tag: "Command", argv: ["claude", "-p", "do it"] },
      source: "command line",
      argv: ["claude", "-p", "do it"]
    }),
    ...more
  }
}

const none = { values: {}, warnings: [] }

describe("settingsReport", () => {
  it("shows every setting that has a value of its own, in the order of the README", () => {
    const { settings } = settingsReport(effective({}), none)
    const single = settingKeys
      .map(({ key }) => key)
      .filter((key) => key !== "env" && !key.startsWith("worker_command."))
    assert.deepStrictEqual(
      settings.map(({ key }) => key),
      single
    )
  })

  it("shows each value with where it came from, and large figures as people say them", () => {
    const report = settingsReport(effective({ restart: { max_backoff_ms: 60_000 } }), none)
    const row = (key: string) => report.settings.find((setting) => setting.key === key)
    assert.deepStrictEqual(row("model"), {
      key: "model",
      value: "opus",
      text: '"opus"',
      source: "command line"
    })
    assert.deepStrictEqual(row("restart.max_backoff_ms"), {
      key: "restart.max_backoff_ms",
      value: 60_000,
      text: "60000 (1 minute)",
      source: "file"
    })
    assert.strictEqual(row("memory.node_kill_threshold_bytes")?.text, "524288000 (500 MiB)")
    assert.strictEqual(row("memory.min_available_bytes")?.text, "2 GiB, at most 20 % of the machine")
    assert.strictEqual(row("env_file")?.text, '"/home/u/.autopilot/env"')
    assert.deepStrictEqual(report.worker_command, { argv: ["claude", "-p", "do it"], source: "command line" })
  })

  it("shows the thresholds in force on this machine", () => {
    const thresholds = { minAvailableBytes: 2 ** 29, criticalBytes: 2 ** 28 }
    const { settings } = settingsReport(effective({}, { thresholds }), none)
    assert.include(
      settings.map(({ text }) => text),
      "512 MiB (scaled to this machine)"
    )
  })

  it("is aligned, says what the env file sets and warns of it", () => {
    const text = renderReport(
      settingsReport(effective({ env: { TOKEN: "12345" } }), {
        values: { ANTHROPIC_API_KEY: "sk-ant-123456", EMPTY: "", ONE: "x" },
        warnings: ["/home/u/.autopilot/env can be read by other users"]
      })
    )
    const lines = text.split("\n")
    assert.strictEqual(lines[0], "Settings file /home/u/.autopilot/daemon.toml")
    assert.includeMembers(lines, [
      "  ANTHROPIC_API_KEY = ******** (13 characters)",
      "  EMPTY = (empty)",
      "  ONE = ******** (1 character)",
      "  TOKEN = ******** (5 characters)",
      "Worker (command line)",
      "  claude -p 'do it'",
      "Warning: /home/u/.autopilot/env can be read by other users"
    ])
    const sources = lines
      .filter((line) => line.endsWith("default"))
      .map((line) => line.lastIndexOf("default"))
    assert.isAbove(sources.length, 20)
    assert.strictEqual(new Set(sources).size, 1)
  })

  it("says that the settings file is missing and why no worker can be started", () => {
    const worker = findWorker({
      environmentBinary: undefined,
      homeBinary: "/home/u/.autopilot/bin/autopilot",
      homeBinaryExists: false,
      workingDir: "/w",
      workingDirHasCargoToml: false
    })
    const missing = { path: "/home/u/.autopilot/daemon.toml", found: false }
    const reason = Either.getOrThrow(Either.flip(worker))
    assert.instanceOf(reason, NoWorkerCommand)
    const report = settingsReport(effective({}, { settingsFile: missing, worker: Either.left(reason) }), none)
    assert.strictEqual(report.worker_command, null)
    const text = renderReport(report)
    assert.include(text, "daemon.toml (does not exist: the defaults hold)")
    assert.include(text, "There is no worker to start")
  })

  it("contains no part of a secret, as text or as JSON", () => {
    const secret = FastCheck.string({ unit: FastCheck.constantFrom("Ω", "Ж", "Þ"), minLength: 1 })
    FastCheck.assert(
      FastCheck.property(secret, secret, (inTable, inFile) => {
        const report = settingsReport(effective({ env: { A: inTable } }), {
          values: { B: inFile },
          warnings: []
        })
        const told = renderReport(report) + JSON.stringify(report)
        assert.notMatch(told, /[ΩЖÞ]/)
        assert.include(told, `"characters":${[...inFile].length}`)
      })
    )
  })

  it("cannot drive the terminal through a value", () => {
    const text = renderReport(settingsReport(effective({ working_dir: "/w\u009b31m\u202e" }), none))
    assert.notMatch(text, /[\u0080-\u009f\u202e]/)
  })
})
