import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { fromEnvironment } from "../../../src/Domain/settings/SettingsEnvironment.ts"
import { hoist } from "../../../src/Domain/settings/SettingsHoist.ts"
import {
  commandLineLayer,
  environmentLayer,
  fileLayer,
  mergeLayers,
  type Provenance,
  provenanceOf,
  tableLayer
} from "../../../src/Domain/settings/SettingsMerge.ts"
import { type RawSettings, tomlText, valueAt } from "../../../src/Domain/toml/RawSettings.ts"

/** The top level as it is merged, from the weakest source to the strongest. */
const mergeTop = (layers: {
  readonly file?: RawSettings
  readonly environment?: RawSettings
  readonly commandLine?: RawSettings
}) =>
  mergeLayers([
    fileLayer(layers.file ?? {}),
    environmentLayer(layers.environment ?? {}),
    commandLineLayer(layers.commandLine ?? {})
  ])

/** Settings in which each of the chosen keys has the same value. */
const settingAll = (value: string, chosen: ReadonlyArray<string>): RawSettings => {
  let raw: RawSettings = {}
  for (const key of chosen) {
    const [first = "", second] = key.split(".")
    const inside = valueAt(raw, [first])
    const table = typeof inside === "object" ? inside : {}
    raw = { ...raw, [first]: second === undefined ? value : { ...table, [second]: value } }
  }
  return raw
}

describe("mergeLayers", () => {
  it("overrides the file by the environment and both by the command line, key by key", () => {
    const merged = mergeTop({
      file: {
        model: "file",
        project: "file",
        working_dir: "file",
        restart: { jitter: 0.5, stall_timeout_ms: 1 }
      },
      environment: { model: "environment", project: "environment", restart: { stall_timeout_ms: 2 } },
      commandLine: { model: "command line" }
    })
    assert.deepStrictEqual(merged.raw, {
      model: "command line",
      project: "environment",
      working_dir: "file",
      restart: { jitter: 0.5, stall_timeout_ms: 2 }
    })
    const sources = [
      "model",
      "project",
      "working_dir",
      "restart.jitter",
      "restart.stall_timeout_ms",
      "max_turns"
    ]
    assert.deepStrictEqual(
      sources.map((key) => provenanceOf(merged, key)),
      [
        "command line",
        "environment AUTOPILOT_PROJECT",
        "file",
        "file",
        "environment AUTOPILOT_STALL_TIMEOUT_MS",
        "default"
      ]
    )
  })

  it("names the project table that set a value as the file writes it", () => {
    const merged = mergeLayers([
      fileLayer({ model: "a", env: { A: "1", B: "1" } }),
      tableLayer("a.b", { env: { B: "2" } })
    ])
    assert.deepStrictEqual(merged.raw, { model: "a", env: { A: "1", B: "2" } })
    assert.deepStrictEqual(
      [...merged.provenance],
      [
        ["model", "file"],
        ["env.A", "file"],
        ["env.B", 'file [projects."a.b"]']
      ]
    )
  })

  it("replaces a worker command as a whole", () => {
    const { raw } = mergeTop({
      file: { worker_command: { type: "Binary", path: "/bin/autopilot", args: ["-v"] } },
      commandLine: { worker_command: { type: "Command", argv: ["claude"] } }
    })
    assert.deepStrictEqual(raw, { worker_command: { type: "Command", argv: ["claude"] } })
  })

  it("gives each key the value of its strongest layer and names that layer", () => {
    const keys = [
      "model",
      "project",
      "max_turns",
      "worker_command",
      "memory.dry_run",
      "restart.jitter",
      "env.A"
    ]
    const layer = FastCheck.uniqueArray(FastCheck.constantFrom(...keys))
    FastCheck.assert(
      FastCheck.property(layer, layer, layer, (file, environment, commandLine) => {
        const merged = mergeTop({
          file: settingAll("file", file),
          environment: settingAll("environment", environment),
          commandLine: settingAll("command line", commandLine)
        })
        for (const key of keys) {
          const winner = commandLine.includes(key)
            ? "command line"
            : environment.includes(key)
              ? "environment"
              : file.includes(key)
                ? "file"
                : undefined
          assert.strictEqual(valueAt(merged.raw, key.split(".")), winner)
          const source: Provenance = provenanceOf(merged, key)
          assert.isTrue(source.startsWith(winner ?? "default"), `${key}: ${source}`)
        }
      })
    )
  })
})

describe("fromEnvironment", () => {
  it("reads the documented variables in the shape of the file", () => {
    assert.deepStrictEqual(
      fromEnvironment({
        AUTOPILOT_WORKDIR: "/w",
        AUTOPILOT_PROJECT: "12",
        AUTOPILOT_MODEL: "opus",
        AUTOPILOT_MAX_BUDGET: "12.5",
        AUTOPILOT_MAX_TURNS: " 7 ",
        AUTOPILOT_STALL_TIMEOUT_MS: "false",
        AUTOPILOT_RECOVERY_COOLDOWN_MS: "60000",
        AUTOPILOT_WORKER_BINARY: "/bin/autopilot",
        HOME: "/home/u"
      }),
      {
        working_dir: "/w",
        project: "12",
        model: "opus",
        max_budget: 12.5,
        max_turns: 7,
        restart: { stall_timeout_ms: false, recovery_cooldown_ms: 60_000 }
      }
    )
  })

  it("ignores an empty variable, and leaves an invalid number for the schema to refuse", () => {
    assert.deepStrictEqual(
      fromEnvironment({ AUTOPILOT_MODEL: "", AUTOPILOT_MAX_TURNS: "0x10", AUTOPILOT_MAX_BUDGET: "1e3" }),
      { max_turns: "0x10", max_budget: "1e3" }
    )
  })
})

describe("hoist", () => {
  it("moves what TOML put into [worker_command] to the top level", () => {
    const { moved, problems, raw } = hoist({ worker_command: { type: "Cargo", model: "opus", max_turns: 5 } })
    assert.deepStrictEqual(raw, { model: "opus", max_turns: 5, worker_command: { type: "Cargo" } })
    assert.deepStrictEqual([...moved].toSorted(), ["max_turns", "model"])
    assert.deepStrictEqual(problems, [])
  })

  it("finds no worker command in a table that held nothing else", () => {
    assert.deepStrictEqual(hoist({ worker_command: { model: "opus" } }).raw, { model: "opus" })
    assert.deepStrictEqual(hoist({ worker_command: {} }).raw, { worker_command: {} })
    assert.deepStrictEqual(hoist({ worker_command: "x" }).raw, { worker_command: "x" })
  })

  it("accepts a setting twice with the same value, and reports both values when they differ", () => {
    const table = { type: "Cargo", model: "opus" }
    assert.deepStrictEqual(hoist({ model: "opus", worker_command: table }).problems, [])
    const [problem, ...others] = hoist({ model: "sonnet", worker_command: table }).problems
    assert.deepStrictEqual(others, [])
    assert.deepStrictEqual(problem?.path, ["worker_command", "model"])
    assert.include(problem?.reason ?? "", '"sonnet" at the top level and "opus" here')
    const [inTable] = hoist({ model: "sonnet", worker_command: table }, "in [projects.shop]").problems
    assert.include(inTable?.reason ?? "", '"sonnet" in [projects.shop] and "opus" here')
  })
})

describe("tomlText", () => {
  it("shows a value on one line as it would stand in the file", () => {
    assert.strictEqual(
      tomlText({ a: "x\ny\u007f", b: [1, false, 2.5], c: {} }),
      '{ a = "x\\ny\\u007f", b = [1, false, 2.5], c = {} }'
    )
  })
})
