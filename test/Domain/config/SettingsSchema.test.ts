import * as fs from "node:fs"
import { resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Ajv } from "ajv"
import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { parse } from "smol-toml"
import { descriptionOf } from "../../../src/Domain/config/SettingReference.ts"
import { settingsSchemaText } from "../../../src/Domain/config/SettingsSchema.ts"
import { settingNotes, topLevelOnly } from "../../../src/Domain/settings/SettingKeys.ts"
import { Settings } from "../../../src/Domain/settings/Settings.ts"
import { problemsOf, takeApart } from "../../../src/Domain/settings/SettingsProjects.ts"
import { without } from "../../../src/Domain/toml/RawSettings.ts"
import { runs } from "../../fixtures/runs.ts"

/** ajv's strict mode refuses a schema with a keyword it does not know. */
const accepts = new Ajv({ strict: true, strictTypes: false }).compile(JSON.parse(settingsSchemaText()))
const daemonAccepts = (raw: Readonly<Record<string, unknown>>): boolean =>
  problemsOf(takeApart(raw), { _tag: "TopLevel" }).length === 0

const root = resolve(import.meta.dirname, "../../..")
const read = (name: string): string => fs.readFileSync(resolve(root, name), "utf8")

const documented: ReadonlyArray<readonly [name: string, toml: string]> = [
  "README.md",
  ...fs
    .readdirSync(resolve(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`)
].flatMap((name) =>
  [...read(name).matchAll(/```toml\n([^]*?)```/g)].map(([, toml = ""]) => [name, toml] as const)
)

/** Settings that daemon.toml may hold. Dates, which only TOML has, do not occur in any. */
const anySettings = Arbitrary.make(Schema.encodedBoundSchema(Settings)).filter((raw) =>
  Either.isRight(Schema.decodeUnknownEither(Settings)(raw))
)

describe("the JSON Schema of daemon.toml", () => {
  it("accepts the settings of the documents and of the demo", () => {
    const shown = [["examples/demo.toml", read("examples/demo.toml")] as const, ...documented]
    assert.isAbove(shown.length, 2)
    for (const [name, toml] of shown) {
      assert.isTrue(daemonAccepts(parse(toml)), `${name}:\n${toml}`)
      assert.isTrue(accepts(parse(toml)), `${name}:\n${toml}`)
    }
  })

  it("accepts all settings that the daemon accepts, at the top level and in a project", () => {
    FastCheck.assert(
      FastCheck.property(anySettings, (raw) => {
        assert.isTrue(accepts(raw), JSON.stringify(accepts.errors))
        const { memory = {}, ...own } = without(raw, [...topLevelOnly.keys()])
        const taken = [...topLevelOnly.keys()].map((key) => key.replace("memory.", ""))
        const project = { ...own, memory: without(memory as object as Record<string, unknown>, taken) }
        assert.isTrue(accepts({ projects: { shop: project } }), JSON.stringify(accepts.errors))
      }),
      { numRuns: runs(30) }
    )
  })

  it("accepts in [worker_command] the settings that TOML puts there", () => {
    for (const toml of [
      '[worker_command]\ntype = "Cargo"\n\nworking_dir = "."\nproject = "shop"\nmodel = "opus"\nmax_turns = 5',
      "[worker_command]\nmax_budget = 10.5",
      '[projects.shop.worker_command]\ntype = "Binary"\npath = "/bin/agent"\nmodel = "opus"'
    ]) {
      assert.isTrue(daemonAccepts(parse(toml)), toml)
      assert.isTrue(accepts(parse(toml)), toml)
    }
  })

  it("refuses what the daemon refuses: unknown keys, wrong types, wrong values and misplaced settings", () => {
    for (const toml of [
      "modle = 1",
      "restart.jiter = 0.5",
      "restart.on.crsh = 'stop'",
      "projects.shop.modle = 'opus'",
      "projects.shop.restart.jiter = 0.5",
      "projects.'a b' = {}",
      "projects.'autopilotd.log' = {}",
      "projects = 1",
      "model = ''",
      "max_turns = 1.5",
      "max_turns = 0",
      "restart.jitter = 1.1",
      "restart.stall_timeout_ms = true",
      "restart.stall_timeout_ms = 49",
      "restart.initial_backoff_ms = false",
      "restart.on.crash = 'retry'",
      "memory.hog_names = 'node'",
      "memory.hog_names = ['']",
      "env.'1A' = 'x'",
      "env.A = 1",
      "worker_command.argv = ['agent']",
      "worker_command.type = 'Docker'",
      "worker_command = { type = 'Command', argv = [] }",
      "worker_command = { type = 'Command', path = '/bin/agent', argv = ['agent'] }",
      "projects.shop.memory.dry_run = true",
      "projects.shop.watch_config = true",
      "projects.shop.history.max_age_days = 5",
      "projects.shop.project = 'blog'"
    ]) {
      assert.isFalse(daemonAccepts(parse(toml)), toml)
      assert.isFalse(accepts(parse(toml)), toml)
    }
  })

  it("describes every setting", () => {
    const text = settingsSchemaText()
    for (const key of settingNotes.keys())
      assert.include(text, JSON.stringify(descriptionOf(key)).slice(1, -1))
  })
})
