import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { settingKeys } from "../../../src/Domain/config/SettingReference.ts"
import { renderReport, settingsReport } from "../../../src/Domain/settings/SettingsReport.ts"
import type { RawSettings } from "../../../src/Domain/toml/RawSettings.ts"
import { inForce } from "../../fixtures/SettingsInForce.ts"

const claude = { type: "Command", argv: ["claude", "-p", "do it"] }
const none = () => ({ values: {}, warnings: [] })

/** One project whose worker and model are given on the command line. */
const effective = (file: RawSettings) =>
  inForce(file, { commandLine: { model: "opus", worker_command: claude } })

describe("settingsReport", () => {
  it("shows every setting in the order of the reference", () => {
    const { settings } = settingsReport(effective({}), none)
    const single = settingKeys()
      .map(({ key }) => key)
      .filter((key) => key !== "env" && !/^(worker_command|projects)\./.test(key))
    assert.deepStrictEqual(
      settings.map(({ key }) => key),
      single
    )
  })

  it("shows each value with its source, and large numbers with a unit", () => {
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
    const { settings } = settingsReport({ ...effective({}), thresholds }, none)
    assert.include(
      settings.map(({ text }) => text),
      "512 MiB (scaled to this machine)"
    )
  })

  it("is aligned, lists the variables of the env file and its warnings", () => {
    const text = renderReport(
      settingsReport(effective({ env: { TOKEN: "12345" } }), () => ({
        values: { ANTHROPIC_API_KEY: "sk-ant-123456", EMPTY: "", ONE: "x" },
        warnings: ["/home/u/.autopilot/env can be read by other users"]
      }))
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

  it("says that the settings file is missing and that there is no worker", () => {
    const settings = inForce({})
    const settingsFile = { ...settings.settingsFile, found: false }
    const report = settingsReport({ ...settings, settingsFile }, none)
    assert.strictEqual(report.worker_command, null)
    assert.include(report.projects[0]?.worker_problem ?? "", "There is no worker to start")
    const lines = renderReport(report).split("\n")
    assert.include(lines[0] ?? "", "daemon.toml (does not exist: the defaults hold)")
    assert.include(lines, "No worker")
  })

  it("contains no part of a secret, as text or as JSON, of any project", () => {
    const secret = FastCheck.string({ unit: FastCheck.constantFrom("Ω", "Ж", "Þ"), minLength: 1 })
    FastCheck.assert(
      FastCheck.property(secret, secret, secret, (atTop, inTable, inFile) => {
        const file = { env: { A: atTop }, projects: { shop: { env: { B: inTable }, env_file: "/b" } } }
        const report = settingsReport(effective(file), () => ({ values: { C: inFile }, warnings: [] }))
        const told = renderReport(report) + JSON.stringify(report)
        assert.notMatch(told, /[ΩЖÞ]/)
        for (const value of [atTop, inTable, inFile]) {
          assert.include(told, `"characters":${[...value].length}`)
        }
      })
    )
  })

  it("cannot drive the terminal through a value", () => {
    const text = renderReport(settingsReport(effective({ working_dir: "/w\u009b31m\u202e" }), none))
    assert.notMatch(text, /[\u0080-\u009f\u202e]/)
  })
})

describe("settingsReport of several projects", () => {
  const file = {
    project: "main",
    worker_command: claude,
    env: { COMMON: "1" },
    projects: {
      shop: {
        autostart: false,
        restart: { stop_grace_ms: 20_000, stall_timeout_ms: 60_000 },
        env: { TOKEN: "12345" },
        env_file: "/shop.env",
        memory: { worker_limit_bytes: 2 ** 30 }
      },
      blog: { worker_command: { type: "Binary", path: "/blog" } }
    }
  }
  const envFileOf = ({ project }: { readonly project: string }) =>
    project === "shop" ? { values: { KEY: "secret" }, warnings: ["/shop.env is open"] } : none()

  it("shows the top level in full, and the differences of each other project", () => {
    const text = renderReport(settingsReport(inForce(file), envFileOf))
    assert.strictEqual(text.split("\n")[1], "Project main")
    assert.strictEqual(
      text.slice(text.indexOf("\nProject shop") + 1),
      `Project shop
  autostart                  false               file [projects.shop]
  memory.worker_limit_bytes  1073741824 (1 GiB)  file [projects.shop]
  restart.stop_grace_ms      20000 (20 seconds)  file [projects.shop]
  restart.stall_timeout_ms   60000 (1 minute)    file [projects.shop]
  env_file                   "/shop.env"         file [projects.shop]
  env, for the worker
    TOKEN = ******** (5 characters)
  Env file /shop.env
    KEY = ******** (6 characters)
  Worker (file)
    claude -p 'do it'

Project blog
  Worker (file [projects.blog])
    /blog run --full-auto --model sonnet --max-budget 300 --max-turns 99999 --project blog

Warning: /shop.env is open`
    )
  })

  it("has every project in JSON, with its overrides and its command", () => {
    const report = settingsReport(inForce(file), envFileOf)
    assert.strictEqual(report.project, "main")
    assert.deepStrictEqual(
      report.projects.map(({ autostart, env_file, overrides, project, worker_command }) => ({
        project,
        autostart,
        env_file,
        overrides: overrides.map(({ key }) => key),
        argv: worker_command?.argv[0]
      })),
      [
        {
          project: "main",
          autostart: true,
          env_file: "/home/u/.autopilot/env",
          overrides: [],
          argv: "claude"
        },
        {
          project: "shop",
          autostart: false,
          env_file: "/shop.env",
          overrides: [
            "autostart",
            "memory.worker_limit_bytes",
            "restart.stop_grace_ms",
            "restart.stall_timeout_ms",
            "env_file"
          ],
          argv: "claude"
        },
        {
          project: "blog",
          autostart: true,
          env_file: "/home/u/.autopilot/env",
          overrides: [],
          argv: "/blog"
        }
      ]
    )
  })

  it("says which project has no worker", () => {
    const report = settingsReport(
      inForce({ projects: { shop: file.projects.shop, blog: file.projects.blog } }),
      none
    )
    assert.match(
      report.projects[0]?.worker_problem ?? "",
      /^There is no worker to start for the project shop: .*\n {2}\[projects\.shop\.worker_command\] in daemon\.toml/
    )
    assert.strictEqual(report.projects[1]?.worker_problem, undefined)
    assert.include(renderReport(report), "\nNo worker\n\nProject blog\n")
  })

  it("shows in full, and alone, the project that the command line names", () => {
    const report = settingsReport(
      inForce(file, { commandLine: { project: "shop", model: "opus" } }),
      envFileOf
    )
    assert.strictEqual(report.project, "shop")
    const sources = new Map(report.settings.map(({ key, source }) => [key, source]))
    assert.strictEqual(sources.get("project"), "file [projects.shop]")
    assert.strictEqual(sources.get("model"), "command line")
    assert.strictEqual(sources.get("restart.stop_grace_ms"), "file [projects.shop]")
    assert.deepStrictEqual(
      report.env.map(({ name }) => name),
      ["COMMON", "TOKEN"]
    )
    const text = renderReport(report, { alone: true })
    assert.include(text, "\nProject shop\n")
    assert.notInclude(text, "Project blog")
    assert.notInclude(text, "Project main")
  })

  it("shows the first table in full where the top level has no worker", () => {
    const { worker_command: worker, ...top } = file
    const projects = { shop: { ...file.projects.shop, worker_command: worker }, blog: file.projects.blog }
    const report = settingsReport(inForce({ ...top, projects }), envFileOf)
    assert.strictEqual(report.project, "shop")
    assert.deepStrictEqual(
      report.projects.map(({ project }) => project),
      ["shop", "blog"]
    )
  })
})
