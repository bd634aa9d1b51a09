import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { layerOf, SettingsStore } from "../../../src/Layers/config/SettingsStore.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as MemoryReader from "../../../src/Layers/machine/MemoryReader.ts"
import * as SettingsFile from "../../../src/Layers/settings/SettingsFile.ts"
import type { SettingsSources } from "../../../src/Layers/settings/SettingsLoading.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

/** A command where no daemon runs, in a home. */
const inHome = (home: string, sources: Partial<SettingsSources> = {}) =>
  Effect.provide(
    layerOf({ environment: {}, commandLine: {}, cwd: home, userHome: home, ...sources }).pipe(
      Layer.provide(
        Layer.mergeAll(Layer.succeed(AutopilotHome, pathsBelow(home)), SettingsFile.layer, MemoryReader.layer)
      )
    )
  )

const get = Effect.flatMap(SettingsStore, (store) => store.get)
const set = (text: string, sha256: string, dryRun = false) =>
  Effect.flatMap(SettingsStore, (store) => store.set({ text, sha256, dryRun }))

const text = '# mine\nmodel = "opus"\n'

describe("the settings, written without a daemon", () => {
  it.scopedLive("are created, with the home folder, where there are none", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryHome, "not", "there")
      yield* Effect.gen(function* () {
        const before = yield* get
        assert.isFalse(before.found)
        assert.strictEqual(before.text, "")
        const written = yield* set(text, before.sha256)
        assert.deepStrictEqual(
          [written.written, written.changes],
          [true, [{ key: "model", to: '"opus"', applies: "on-reload" }]]
        )
        assert.strictEqual(written.sha256, (yield* get).sha256)
      }).pipe(inHome(home))
      assert.strictEqual(fs.readFileSync(join(home, "daemon.toml"), "utf8"), text)
      assert.strictEqual(fs.statSync(home).mode & 0o777, 0o700)
    })
  )

  it.scopedLive("are not written by a dry run, which returns the changes or the refusal", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.writeFileSync(join(home, "daemon.toml"), text)
      yield* Effect.gen(function* () {
        const { sha256 } = yield* get
        const dry = yield* set('model = "haiku"\n', sha256, true)
        assert.deepStrictEqual(
          [dry.written, dry.changes],
          [false, [{ key: "model", from: '"opus"', to: '"haiku"', applies: "on-reload" }]]
        )
        const stale = yield* Effect.flip(set('model = "haiku"\n', "0".repeat(64), true))
        assert.strictEqual(stale._tag, "StaleSettings")
      }).pipe(inHome(home))
      assert.strictEqual(fs.readFileSync(join(home, "daemon.toml"), "utf8"), text)
    })
  )

  it.scopedLive("are refused with the place of each problem, and nothing is written", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.writeFileSync(join(home, "daemon.toml"), text)
      yield* Effect.gen(function* () {
        const { sha256 } = yield* get
        const error = yield* Effect.flip(set('modl = "x"\n\n[restart]\n  jitter = 7\n', sha256))
        assert.strictEqual(error._tag, "SettingsError")
        const places =
          error._tag === "SettingsError"
            ? error.problems.map(({ column, key, line }) => [key, line, column])
            : []
        assert.deepStrictEqual(places, [
          ["modl", 1, 1],
          ["restart.jitter", 4, 3]
        ])
      }).pipe(inHome(home))
      assert.strictEqual(fs.readFileSync(join(home, "daemon.toml"), "utf8"), text)
    })
  )

  it.scopedLive("can be corrected where they are wrong", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.writeFileSync(join(home, "daemon.toml"), "model = [\n")
      yield* Effect.gen(function* () {
        const broken = yield* get
        assert.strictEqual(broken.text, "model = [\n")
        assert.isTrue((yield* set(text, broken.sha256)).written)
      }).pipe(inHome(home))
    })
  )

  it.scopedLive("are refused where a project would lose its worker, or begin without one", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const worker = 'worker_command = { type = "Command", argv = ["agent"] }\n'
      const refusal = (next: string) =>
        Effect.gen(function* () {
          const { sha256 } = yield* get
          return (yield* Effect.flip(set(next, sha256))).message
        }).pipe(inHome(home))
      const write = (next: string) =>
        Effect.flatMap(get, ({ sha256 }) => set(next, sha256)).pipe(inHome(home))
      const example = `'{ type = "Command", argv = ["my-agent"] }'`
      assert.strictEqual(
        yield* refusal('[projects.neu]\nworking_dir = "/neu"\n'),
        "projects.neu.worker_command is missing, and without it neu has no worker to start. " +
          `Give it one (autopilotd config set --project neu worker_command ${example}), ` +
          "or the whole project at once (autopilotd config set projects.neu " +
          `'{ working_dir = "DIR", worker_command = { type = "Command", argv = ["my-agent"] } }').`
      )
      // The worker of a home without settings comes from the command line.
      yield* write('model = "opus"\n')
      yield* write('project = "shop"\n')
      yield* write(worker)
      assert.strictEqual(
        yield* refusal('model = "opus"\n'),
        "worker_command is missing, and without it default has no worker to start. " +
          `Give it one (autopilotd config set worker_command ${example}).`
      )
      yield* write(`${worker}[projects.neu]\n`)
      assert.match(
        yield* refusal(`${worker}[projects.neu]\nmodl = "opus"\n`),
        /:3: projects\.neu\.modl is not/
      )
    })
  )

  it.scopedLive("can be changed beside a project that was wrong before, but not made worse", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const worker = 'worker_command = { type = "Command", argv = ["agent"] }\n'
      const neu = '[projects.neu]\nmodl = "opus"\nmax_turnz = 3\n'
      fs.writeFileSync(join(home, "daemon.toml"), `${worker}${neu}`)
      yield* Effect.gen(function* () {
        const write = (next: string) => Effect.flatMap(get, ({ sha256 }) => set(next, sha256))
        assert.isTrue((yield* write(`model = "opus"\n${worker}${neu}`)).written)
        assert.isTrue((yield* write(`${worker}[projects.neu]\nmax_turnz = 3\n`)).written)
        const worse = yield* Effect.flip(write(`${worker}[projects.neu]\nmax_turnz = 3\nmax_budgt = 3\n`))
        assert.match(worse.message, /max_turnz[^]*max_budgt/)
        assert.isTrue((yield* write(`${worker}[projects.neu]\nmax_turns = 3\n`)).written)
      }).pipe(inHome(home))
    })
  )

  it.scopedLive("may add a table for the project that the environment names", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* Effect.gen(function* () {
        const { sha256 } = yield* get
        const written = yield* set('[projects.shop]\nmodel = "x"\n', sha256)
        assert.deepStrictEqual(
          written.changes.map(({ key }) => key),
          ["projects.shop.model"]
        )
      }).pipe(inHome(home, { environment: { AUTOPILOT_PROJECT: "shop" } }))
    })
  )
})
