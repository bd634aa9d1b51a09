import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import type { SettingChange } from "../../../src/Domain/config/SettingsData.ts"
import { settingsChanges } from "../../../src/Domain/config/SettingsDiff.ts"
import type { RawSettings } from "../../../src/Domain/toml/RawSettings.ts"
import { runs } from "../../fixtures/runs.ts"
import { settingsFiles } from "../../fixtures/SettingsFiles.ts"
import { inForce, type Surroundings } from "../../fixtures/SettingsInForce.ts"

const binary = { type: "Binary", path: "/agent" }
const command = { type: "Command", argv: ["agent"] }

/** What differs, of two files that are read under the same circumstances. */
const diff = (before: RawSettings, after: RawSettings, around: Surroundings = {}) => {
  const first = inForce(before, around)
  return settingsChanges(first, inForce(after, { ...around, about: first.about }))
}

/** Each change on one line. */
const lines = (before: RawSettings, after: RawSettings, around: Surroundings = {}) =>
  diff(before, after, around).changes.map(
    ({ applies, from = "-", key, to = "-" }) => `${key}: ${from} -> ${to} (${applies})`
  )

/** What each change is from and to, by key; exchanged for what it would be backwards. */
const forwards = (changes: ReadonlyArray<SettingChange>) =>
  new Map(changes.map(({ from, key, to }) => [key, { from, to }]))
const backwards = (changes: ReadonlyArray<SettingChange>) =>
  new Map(changes.map(({ from, key, to }) => [key, { from: to, to: from }]))

/** A file of settings with all its tables takes a while to make. */
const rounds = { numRuns: runs(40) }

describe("settingsChanges", () => {
  it("names each setting by its key in the file, with its values as they stand there", () => {
    const before = { worker_command: command, model: "opus", restart: { jitter: 0 }, projects: { shop: {} } }
    const after = {
      worker_command: command,
      watch_config: true,
      restart: { jitter: 0, max_backoff_ms: 60_000 },
      memory: { hog_names: ["node", "deno"] },
      projects: { shop: { autostart: false, restart: { policy: "always" } } }
    }
    assert.deepStrictEqual(lines(before, after), [
      "watch_config: - -> true (on-reload)",
      "restart.max_backoff_ms: - -> 60000 (on-reload)",
      'memory.hog_names: - -> ["node", "deno"] (on-reload)',
      'model: "opus" -> - (on-reload)',
      "projects.shop.autostart: - -> false (on-reload)",
      'projects.shop.restart.policy: - -> "always" (on-reload)'
    ])
  })

  it("has a setting that projects inherit once, at its place in the file", () => {
    const projects = { shop: {}, blog: { env: { A: "own" } } }
    const before = { worker_command: command, working_dir: "/a", env: { A: "1" }, projects }
    const changes = diff(before, { ...before, working_dir: "/b", env: { A: "2" } })
    assert.deepStrictEqual(changes.changes, [
      { key: "working_dir", from: '"/a"', to: '"/b"', applies: "worker-restart" },
      { key: "env.A", applies: "worker-restart" }
    ])
    assert.deepStrictEqual(changes.changes_command, ["default", "shop", "blog"])
    const onlyEnv = diff(before, { ...before, env: { A: "2" } })
    assert.deepStrictEqual(onlyEnv.changes_command, ["default", "shop"])
  })

  it("never shows a value of env", () => {
    const secret = (value: string) => ({
      worker_command: command,
      env: { A: value },
      projects: { shop: { env: { B: value } } }
    })
    const told = [
      diff(secret("s3cr3t-1"), secret("s3cr3t-2")),
      diff({ worker_command: command }, secret("s3cr3t")),
      diff(secret("s3cr3t"), { worker_command: command })
    ]
    assert.deepStrictEqual(
      told.map(({ changes }) => changes.map(({ key }) => key)),
      [
        ["env.A", "projects.shop.env.B"],
        ["env.A", "projects.shop.env.B"],
        ["env.A", "projects.shop.env.B"]
      ]
    )
    assert.notInclude(JSON.stringify(told), "s3cr3t")
  })

  it("needs a start of the worker for model, budget and turns only where the worker is given them", () => {
    const changed = { model: "opus", max_budget: 1, max_turns: 2 }
    assert.deepStrictEqual(lines({ worker_command: binary }, { worker_command: binary, ...changed }), [
      'model: - -> "opus" (worker-restart)',
      "max_budget: - -> 1 (worker-restart)",
      "max_turns: - -> 2 (worker-restart)"
    ])
    assert.deepStrictEqual(lines({ worker_command: command }, { worker_command: command, ...changed }), [
      'model: - -> "opus" (on-reload)',
      "max_budget: - -> 1 (on-reload)",
      "max_turns: - -> 2 (on-reload)"
    ])
    // Of two projects the one that is given it decides.
    const projects = { shop: { worker_command: binary } }
    assert.deepStrictEqual(
      lines({ worker_command: command, projects }, { worker_command: command, projects, max_turns: 2 }),
      ["max_turns: - -> 2 (worker-restart)"]
    )
  })

  it("needs nothing for a setting that every project overrides, or that equals the default", () => {
    const projects = { shop: { worker_command: command, working_dir: "/shop" } }
    assert.deepStrictEqual(lines({ working_dir: "/a", projects }, { working_dir: "/b", projects }), [
      'working_dir: "/a" -> "/b" (on-reload)'
    ])
    const file = { worker_command: binary, model: "opus", projects: { shop: {} } }
    const said = { ...file, max_turns: 99_999, projects: { shop: { model: "opus" } } }
    assert.deepStrictEqual(lines(file, said), [
      "max_turns: - -> 99999 (on-reload)",
      'projects.shop.model: - -> "opus" (on-reload)'
    ])
    assert.deepStrictEqual(diff(file, said).changes_command, [])
  })

  it("compares a worker command key by key, and as a whole for what is executed", () => {
    const changes = diff(
      { worker_command: command, projects: { shop: {} } },
      { worker_command: command, projects: { shop: { worker_command: { ...binary, args: ["-v"] } } } }
    )
    assert.deepStrictEqual(
      changes.changes.map(({ applies, key }) => `${key} ${applies}`),
      [
        "projects.shop.worker_command.type worker-restart",
        "projects.shop.worker_command.path worker-restart",
        "projects.shop.worker_command.args worker-restart"
      ]
    )
    assert.deepStrictEqual(changes.changes_command, ["shop"])
  })

  it("marks a setting that the command line or the environment of the daemon overrides", () => {
    const file = (model: string, turns: number) => ({
      worker_command: binary,
      model,
      max_turns: turns,
      project: `name-${turns}`,
      projects: { shop: { max_turns: turns } }
    })
    const around = { environment: { model: "sonnet" }, commandLine: { project: "shop", max_turns: 9 } }
    assert.deepStrictEqual(lines(file("a", 1), file("b", 2), around), [
      'model: "a" -> "b" (daemon-restart)',
      "max_turns: 1 -> 2 (on-reload)",
      'project: "name-1" -> "name-2" (on-reload)',
      "projects.shop.max_turns: 1 -> 2 (daemon-restart)"
    ])
    const named = { commandLine: { project: "mine", worker_command: command } }
    const hidden = { ...file("a", 1), worker_command: { ...binary, path: "/other" }, project: "else" }
    const { changes, changes_command, projects_added } = diff(file("a", 1), hidden, named)
    assert.deepStrictEqual(
      changes.map(({ applies, key }) => `${key} ${applies}`),
      ["worker_command.path daemon-restart", "project daemon-restart"]
    )
    assert.deepStrictEqual([changes_command, projects_added], [["shop"], []])
  })

  it("lists added and removed projects; a new name of the top level is one of each", () => {
    const before = {
      project: "main",
      worker_command: command,
      projects: { shop: { model: "opus" }, blog: {} }
    }
    const after = {
      project: "core",
      worker_command: command,
      projects: { blog: {}, "a.b": { max_turns: 1 } }
    }
    const changes = diff(before, after)
    assert.deepStrictEqual(changes.projects_added, ["core", "a.b"])
    assert.deepStrictEqual(changes.projects_removed, ["main", "shop"])
    assert.deepStrictEqual(changes.changes_command, ["core", "a.b"])
    assert.deepStrictEqual(lines(before, after), [
      'project: "main" -> "core" (on-reload)',
      'projects."a.b".max_turns: - -> 1 (on-reload)',
      'projects.shop.model: "opus" -> - (on-reload)'
    ])
  })

  it("recognises a project that moves from the top level into a table", () => {
    const before = { project: "shop", working_dir: "/a", worker_command: command, restart: { jitter: 0.5 } }
    const moved = (working_dir: string) => ({
      projects: { shop: { working_dir, worker_command: command, restart: { jitter: 0.5 } } }
    })
    const same = diff(before, moved("/a"))
    assert.deepStrictEqual([same.projects_added, same.projects_removed, same.changes_command], [[], [], []])
    assert.isTrue(same.changes.every(({ applies }) => applies === "on-reload"))
    const other = diff(before, moved("/b"))
    assert.deepStrictEqual(other.changes_command, ["shop"])
    assert.deepInclude(other.changes, {
      key: "projects.shop.working_dir",
      to: '"/b"',
      applies: "worker-restart"
    })
  })

  it("lists a top level that becomes a project because it gets a worker", () => {
    const projects = { shop: { worker_command: command } }
    const changes = diff({ projects }, { worker_command: command, projects })
    assert.deepStrictEqual([changes.projects_added, changes.changes_command], [["default"], ["default"]])
    assert.deepStrictEqual(
      changes.changes.map(({ applies }) => applies),
      ["on-reload", "on-reload"]
    )
  })

  it("is empty for a file and itself", () => {
    FastCheck.assert(
      FastCheck.property(settingsFiles, (file) => {
        assert.deepStrictEqual(diff(file, structuredClone(file)), {
          changes: [],
          projects_added: [],
          projects_removed: [],
          changes_command: []
        })
      }),
      rounds
    )
  })

  it("is the same for the reverse change, with before and after exchanged", () => {
    FastCheck.assert(
      FastCheck.property(settingsFiles, settingsFiles, (one, other) => {
        const there = diff(one, other)
        const back = diff(other, one)
        assert.deepStrictEqual(backwards(there.changes), forwards(back.changes))
        assert.deepStrictEqual(there.projects_added, back.projects_removed)
        assert.deepStrictEqual(there.projects_removed, back.projects_added)
      }),
      rounds
    )
  })

  it("needs a start of the worker exactly when another program would be executed", () => {
    FastCheck.assert(
      FastCheck.property(settingsFiles, settingsFiles, (one, other) => {
        const { changes, changes_command, projects_added } = diff(one, other)
        const otherwise = changes_command.filter((name) => !projects_added.includes(name))
        assert.strictEqual(
          changes.some(({ applies }) => applies === "worker-restart"),
          otherwise.length > 0
        )
        assert.includeMembers([...changes_command], [...projects_added])
      }),
      rounds
    )
  })
})
