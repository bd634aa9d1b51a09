import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { renderProblem } from "../../../src/Domain/settings/SettingsProblem.ts"
import { aboutOf, problemsOf, takeApart } from "../../../src/Domain/settings/SettingsProjects.ts"
import { resolveSettings } from "../../../src/Domain/settings/SettingsResolve.ts"
import { keyPathText } from "../../../src/Domain/toml/KeyPath.ts"
import type { RawSettings } from "../../../src/Domain/toml/RawSettings.ts"
import { inForce } from "../../fixtures/SettingsInForce.ts"

const outer = { environment: {}, commandLine: {} }

/** The problems of a file, each as the line a person would read. */
const complaints = (file: RawSettings): ReadonlyArray<string> => {
  const parts = takeApart(file)
  const about = aboutOf(outer, parts.tables)
  const alone = problemsOf(parts, about)
  const problems =
    alone.length > 0
      ? alone
      : Either.match(resolveSettings(parts, outer, about), { onLeft: (left) => left, onRight: () => [] })
  return problems.map(({ path, ...problem }) =>
    renderProblem({ key: keyPathText(path.map(String)), ...problem })
  )
}

const shop = (settings: RawSettings) => complaints({ projects: { shop: settings } })

const worker = { type: "Command", argv: ["agent"] }

describe("A table of a project", () => {
  it.each<[RawSettings, string]>([
    [{ projects: 3 }, "projects must be a table of projects such as [projects.shop], not a number."],
    [{ projects: [{}] }, "projects must be a table of projects such as [projects.shop], not an array."],
    [
      { projects: { model: "opus" } },
      "projects.model must be a table with the settings of one project, not this text."
    ],
    [
      { projects: { "my shop": {} } },
      `projects."my shop" is not a name for a project: 1 to 64 letters, digits, '.', '_' or '-' that begin with a letter or a digit (autopilotd.log is taken).`
    ],
    [
      { projects: { ["__proto__"]: { modl: "x" } } },
      "projects.__proto__ is not a name for a project: 1 to 64 letters, digits, '.', '_' or '-' that begin with a letter or a digit (autopilotd.log is taken)."
    ]
  ])("%j is refused", (file, line) => assert.include(complaints(file), line))

  it("may have any name that can be a folder, even constructor", () => {
    const projects = { constructor: {}, toString: {}, "10": {}, "a.b": {} }
    assert.deepStrictEqual(complaints({ projects }), [])
    const { projects: all } = inForce({ worker_command: worker, model: "opus", projects })
    assert.deepStrictEqual(all.map(({ project }) => String(project)).toSorted(), [
      "10",
      "a.b",
      "constructor",
      "default",
      "toString"
    ])
    assert.isTrue(all.every(({ settings }) => settings.model === "opus"))
  })

  it.each<[RawSettings, string]>([
    [
      { restart: { max_backof_ms: 1 } },
      "projects.shop.restart.max_backof_ms is not a setting. Did you mean projects.shop.restart.max_backoff_ms?"
    ],
    [{ max_turns: 0 }, "projects.shop.max_turns must be a whole number, at least 1, not 0."],
    [{ workdir: "." }, "projects.shop.workdir is not a setting. Did you mean projects.shop.working_dir?"],
    [{ restrt: {} }, "projects.shop.restrt is not a setting. Did you mean projects.shop.restart?"],
    [
      { worker_command: { args: [] } },
      'projects.shop.worker_command.type is missing: it must be "Claude", "Command", "Binary" or "Cargo".'
    ],
    [
      { env: { TOKEN: 12_345 } },
      "projects.shop.env.TOKEN must be text without a NUL character, not a number."
    ],
    [{ memory: { protec: [] } }, "projects.shop.memory.protec is not a setting."],
    [
      { project: "shop" },
      "projects.shop.project cannot be set here: the name of the table is the name of the project."
    ],
    [
      { projects: { a: {} } },
      "projects.shop.projects cannot stand here: projects stand side by side, each in its own [projects.NAME]."
    ],
    [
      { watch_config: true },
      "projects.shop.watch_config is about the whole daemon, not about one project: set it at the top level."
    ],
    [
      { worker_command: { ...worker, project: "x" } },
      "projects.shop.project cannot be set here: the name of the table is the name of the project."
    ],
    [
      { model: "opus", worker_command: { ...worker, model: "haiku" } },
      'projects.shop.worker_command.model is set twice with different values: model is "opus" in [projects.shop] and "haiku" here.'
    ]
  ])("with %j is refused", (settings, line) => assert.deepStrictEqual(shop(settings), [line]))

  it.each([
    "min_available_bytes",
    "critical_threshold_bytes",
    "poll_interval_ms",
    "node_kill_threshold_bytes",
    "hog_names",
    "hog_policy",
    "protect",
    "dry_run"
  ])("cannot set memory.%s, which is about the machine", (key) =>
    assert.deepStrictEqual(shop({ memory: { [key]: "anything", worker_limit_bytes: 1 } }), [
      `projects.shop.memory.${key} is about the whole machine, not about one project: set it at the top level.`
    ])
  )

  it("is reported with all its problems, together with those of other tables", () => {
    const lines = complaints({
      modl: "x",
      projects: {
        shop: { modl: "x", restart: { initial_backoff_ms: 9, max_backoff_ms: 8 }, env: { "a b": "s3cr3t" } },
        "no name": { max_turns: 0 }
      }
    })
    assert.sameMembers(
      [...lines],
      [
        "modl is not a setting. Did you mean model?",
        `projects."no name" is not a name for a project: 1 to 64 letters, digits, '.', '_' or '-' that begin with a letter or a digit (autopilotd.log is taken).`,
        "projects.shop.modl is not a setting. Did you mean projects.shop.model?",
        'projects.shop.env."a b" is not a name for an environment variable: letters, digits and _, no digit at the beginning.',
        "projects.shop.restart.initial_backoff_ms (9) is above restart.max_backoff_ms (8).",
        'projects."no name".max_turns must be a whole number, at least 1, not 0.'
      ]
    )
  })

  it("is refused at its own key when it contradicts an inherited setting", () => {
    const restart = { initial_backoff_ms: 2000 }
    assert.deepStrictEqual(
      complaints({ restart, projects: { shop: { restart: { max_backoff_ms: 1500 } } } }),
      [
        "projects.shop.restart.max_backoff_ms (1500) is below restart.initial_backoff_ms, which is 2000 inherited from the top level."
      ]
    )
    assert.deepStrictEqual(
      complaints({
        restart: { max_backoff_ms: 2500 },
        projects: { shop: { restart: { initial_backoff_ms: 3000 } } }
      }),
      [
        "projects.shop.restart.initial_backoff_ms (3000) is above restart.max_backoff_ms (2500, inherited from the top level)."
      ]
    )
    assert.deepStrictEqual(shop({ restart: { max_backoff_ms: 500 } }), [
      "projects.shop.restart.max_backoff_ms (500) is below restart.initial_backoff_ms, which is 1000 by default."
    ])
    assert.deepStrictEqual(
      complaints({
        restart: { initial_backoff_ms: 100 },
        projects: { shop: { restart: { max_backoff_ms: 500 } } }
      }),
      []
    )
  })

  it("cannot have the name of the top level", () => {
    assert.deepStrictEqual(complaints({ project: "shop", projects: { shop: {} } }), [
      'projects.shop is also the name of the top level (project = "shop"): rename one of them.'
    ])
    assert.deepStrictEqual(complaints({ projects: { default: {} } }), [
      'projects.default is the name of the top level by default: name it with project = "...", or rename this table.'
    ])
    assert.deepStrictEqual(complaints({ project: "main", projects: { default: {} } }), [])
  })
})
