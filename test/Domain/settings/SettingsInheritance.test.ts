import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { notInherited, settingNotes } from "../../../src/Domain/settings/SettingKeys.ts"
import { Settings } from "../../../src/Domain/settings/Settings.ts"
import { decodeRaw } from "../../../src/Domain/settings/SettingsDecode.ts"
import { provenanceOf } from "../../../src/Domain/settings/SettingsMerge.ts"
import { problemsOf, takeApart } from "../../../src/Domain/settings/SettingsProjects.ts"
import { mergeTable } from "../../../src/Domain/settings/SettingsResolve.ts"
import { isTable, type RawSettings, tomlText, valueAt } from "../../../src/Domain/toml/RawSettings.ts"
import { settingsFiles, tableSettings, topSettings } from "../../fixtures/SettingsFiles.ts"
import { inForce } from "../../fixtures/SettingsInForce.ts"

const outer = { environment: {}, commandLine: {} }
const worker = { type: "Command", argv: ["agent"] }

const encoded = (settings: Settings): RawSettings => Schema.encodeSync(Settings)(settings)

describe("A project of a table", () => {
  it("inherits what it does not set, but not the name, autostart and the tables of the top level", () => {
    const { projects } = inForce({
      project: "main",
      autostart: false,
      watch_config: true,
      model: "opus",
      restart: { jitter: 0.5, policy: "always" },
      env: { A: "1", B: "1" },
      worker_command: { type: "Binary", path: "/bin/top", args: ["-v"] },
      projects: {
        shop: { restart: { jitter: 0 }, env: { B: "2" } },
        blog: { worker_command: { type: "Binary", path: "/bin/blog" } }
      }
    })
    const [main, first, second] = projects
    assert.deepStrictEqual(
      projects.map(({ isTopLevel, project, settings }) => [String(project), isTopLevel, settings.autostart]),
      [
        ["main", true, false],
        ["shop", false, true],
        ["blog", false, true]
      ]
    )
    assert.deepStrictEqual(main.settings.env, { A: "1", B: "1" })
    assert.deepStrictEqual(first?.settings.env, { A: "1", B: "2" })
    assert.deepStrictEqual([first?.settings.restart.jitter, first?.settings.restart.policy], [0, "always"])
    const argvOf = (project: typeof first) =>
      project === undefined ? "" : Either.getOrThrow(project.worker).argv.join(" ")
    assert.match(argvOf(first), /^\/bin\/top run .* --model opus .* --project shop -v$/)
    assert.match(argvOf(second), /^\/bin\/blog run .* --project blog$/)
  })

  it("shows the source of each value", () => {
    const { projects } = inForce(
      {
        project: "main",
        model: "opus",
        max_turns: 5,
        restart: { jitter: 0.5 },
        worker_command: worker,
        projects: { shop: { model: "haiku", restart: { policy: "always" } } }
      },
      { environment: { max_turns: 6, model: "sonnet" }, commandLine: { project: "shop", max_budget: 1 } }
    )
    const sources = (index: number) =>
      ["project", "model", "max_turns", "max_budget", "restart.jitter", "restart.policy", "autostart"].map(
        (key) => {
          const project = projects[index]
          return project === undefined ? "" : provenanceOf(project, key)
        }
      )
    assert.deepStrictEqual(sources(0), [
      "file",
      "environment AUTOPILOT_MODEL",
      "environment AUTOPILOT_MAX_TURNS",
      "default",
      "file",
      "default",
      "default"
    ])
    assert.deepStrictEqual(sources(1), [
      "file [projects.shop]",
      "file [projects.shop]",
      "environment AUTOPILOT_MAX_TURNS",
      "command line",
      "file",
      "file [projects.shop]",
      "default"
    ])
  })

  it("has its own value or else the top level's for every key", () => {
    FastCheck.assert(
      FastCheck.property(topSettings, tableSettings, (top, table) => {
        const merged = mergeTable(["shop", table], top, outer, { _tag: "TopLevel" })
        const together = encoded(Either.getOrThrow(decodeRaw(merged.raw)))
        const above = encoded(Either.getOrThrow(decodeRaw(top)))
        const own = encoded(Either.getOrThrow(decodeRaw(table)))
        const byDefault = encoded(Either.getOrThrow(decodeRaw({})))
        const keys = [...settingNotes.keys()].filter(
          (key) => key !== "project" && !key.startsWith("worker_command.")
        )
        for (const key of [...keys.filter((key) => key !== "env"), "env.A", "env.B", "worker_command"]) {
          const path = key.split(".")
          const source =
            valueAt(table, path) !== undefined ? own : notInherited.includes(key) ? byDefault : above
          assert.strictEqual(tomlText(valueAt(together, path)), tomlText(valueAt(source, path)), key)
        }
        assert.strictEqual(together["project"], "shop")
      })
    )
  })
})

describe("The command line", () => {
  const file = {
    project: "main",
    worker_command: worker,
    projects: { shop: {}, blog: { model: "haiku" } }
  }
  const models = (commandLine: RawSettings, environment: RawSettings = {}) =>
    inForce(file, { commandLine, environment }).projects.map(
      ({ project, settings }) => `${project} ${settings.model}`
    )

  it("applies to the project that it names, and to no other", () => {
    assert.deepStrictEqual(models({ project: "shop", model: "opus" }), [
      "main sonnet",
      "shop opus",
      "blog haiku"
    ])
    assert.deepStrictEqual(models({ project: "blog", model: "opus" }), [
      "main sonnet",
      "shop sonnet",
      "blog opus"
    ])
    assert.deepStrictEqual(models({ model: "opus" }), ["main opus", "shop sonnet", "blog haiku"])
    assert.deepStrictEqual(models({ project: "other", model: "opus" }), [
      "other opus",
      "shop sonnet",
      "blog haiku"
    ])
  })

  it("applies to the project of AUTOPILOT_PROJECT, unless it names one itself", () => {
    assert.deepStrictEqual(models({ model: "opus" }, { project: "shop" }), [
      "main sonnet",
      "shop opus",
      "blog haiku"
    ])
    assert.deepStrictEqual(models({ project: "shop", model: "opus" }, { project: "other" }), [
      "main sonnet",
      "shop opus",
      "blog haiku"
    ])
    assert.deepStrictEqual(models({ model: "opus" }, { project: "other" }), [
      "other opus",
      "shop sonnet",
      "blog haiku"
    ])
  })

  it("gives its command to one project only", () => {
    const given = { type: "Command", argv: ["mine"] }
    const { named, projects } = inForce(file, { commandLine: { project: "shop", worker_command: given } })
    assert.strictEqual(named, "shop")
    assert.deepStrictEqual(
      projects.map((project) => Either.getOrThrow(project.worker).argv[0]),
      ["agent", "mine", "agent"]
    )
  })

  it("applies to no project while the table that it named is missing", () => {
    const commandLine = { project: "shop", model: "opus" }
    const first = inForce(file, { commandLine })
    const without = inForce({ ...file, projects: { blog: {} } }, { commandLine, about: first.about })
    assert.deepStrictEqual(
      without.projects.map(({ project, settings }) => `${project} ${settings.model}`),
      ["main sonnet", "blog sonnet"]
    )
    assert.strictEqual(without.named, undefined)
    assert.deepStrictEqual(inForce(file, { commandLine, about: first.about }), first)
  })

  it("keeps the name that it gave the top level: a new table of that name is refused", () => {
    const { about } = inForce(file, { commandLine: { project: "other" } })
    const parts = takeApart({ ...file, projects: { other: {} } })
    assert.deepStrictEqual(
      problemsOf(parts, about).map(({ path, reason }) => [path.join("."), reason]),
      [
        [
          "projects.other",
          "is the name that --project or AUTOPILOT_PROJECT gave to the top level of this daemon: rename this table, or restart the daemon"
        ]
      ]
    )
  })
})

describe("The top level", () => {
  const projects = { shop: { worker_command: worker } }
  const names = (file: RawSettings, commandLine: RawSettings = {}) =>
    inForce(file, { commandLine }).projects.map(({ project }) => String(project))

  it("is no project without a worker beside tables", () => {
    assert.deepStrictEqual(names({ model: "opus", projects }), ["shop"])
    assert.deepStrictEqual(names({ worker_command: worker, projects }), ["default", "shop"])
    assert.deepStrictEqual(names({ model: "opus" }), ["default"])
    assert.deepStrictEqual(names({ projects: {} }), ["default"])
  })

  it("is a project when the command line applies to it", () => {
    assert.deepStrictEqual(names({ projects }, { model: "opus" }), ["default", "shop"])
    assert.deepStrictEqual(names({ projects }, { project: "other" }), ["other", "shop"])
    assert.deepStrictEqual(names({ projects }, { project: "shop", model: "opus" }), ["shop"])
  })

  it("and all tables have their old values after a change is undone", () => {
    const commandLines = FastCheck.record(
      { project: FastCheck.constantFrom("shop", "other"), model: FastCheck.constant("opus") },
      { requiredKeys: [] }
    )
    FastCheck.assert(
      FastCheck.property(settingsFiles, settingsFiles, commandLines, (file, other, commandLine) => {
        const first = inForce(file, { commandLine })
        const { about } = first
        // A table that comes to be called as the command line has named the top level is refused.
        FastCheck.pre(problemsOf(takeApart(other), about).length === 0)
        const between = inForce(other, { commandLine, about })
        const tables = other["projects"]
        const known = [
          ...(isTable(tables) ? Object.keys(tables) : []),
          about._tag === "TopLevel" && about.name !== undefined ? about.name : (other["project"] ?? "default")
        ]
        for (const { project } of between.projects) assert.include(known, String(project))
        assert.deepStrictEqual(inForce(file, { commandLine, about }), first)
      })
    )
  })
})
