import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as EnvFile from "../../../src/Layers/worker/EnvFile.ts"
import { Logins, layer } from "../../../src/Layers/worker/Logins.ts"
import { claudePlan } from "../../fixtures/AgentPlans.ts"
import { heldHome } from "../../fixtures/HeldHome.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"
import { plan } from "./SupervisorWorld.ts"

const shop = ProjectName.make("shop")
const limit = { project: shop, untilMs: 1_000_000, inARow: 2 }
const key = "sk-ant-very-secret"

const inHome = (home: string) =>
  Effect.provide(
    Layer.provide(
      layer,
      Layer.mergeAll(heldHome("home"), EnvFile.layer, Layer.succeed(AutopilotHome, pathsBelow(home)))
    )
  )

const load = Effect.flatMap(Logins, (logins) => logins.load)

describe("the usage limits of logins", () => {
  it.scopedLive("are read back as they were saved", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      assert.deepStrictEqual(yield* load.pipe(inHome(home)), [])
      yield* Effect.flatMap(Logins, ({ save }) => save([limit])).pipe(inHome(home))
      assert.deepStrictEqual(yield* load.pipe(inHome(home)), [limit])
      assert.strictEqual(fs.statSync(join(home, "logins.json")).mode & 0o777, 0o600)
    })
  )

  it.scopedLive("are none where the file is broken, of another version, or no file", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const file = join(home, "logins.json")
      for (const text of [
        "",
        "{",
        "[]",
        '{"version":2,"limits":[]}',
        '{"version":1,"limits":[{"project":""}]}'
      ]) {
        fs.writeFileSync(file, text)
        assert.deepStrictEqual(yield* load.pipe(inHome(home)), [], text)
      }
      fs.rmSync(file)
      fs.mkdirSync(file)
      assert.deepStrictEqual(yield* load.pipe(inHome(home)), [])
    })
  )
})

describe("the login of a worker", () => {
  it.scopedLive("comes from its whole environment, and tells no secret", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const envFile = { path: join(home, "env"), mustExist: false }
      fs.writeFileSync(envFile.path, `ANTHROPIC_API_KEY=${key}\n`, { mode: 0o600 })
      const of = (envTable: Readonly<Record<string, string>>, changes = {}) =>
        Effect.flatMap(Logins, (logins) =>
          logins.of({ ...plan, agent: claudePlan, envFile, envTable, ...changes })
        ).pipe(inHome(home))
      const byFile = yield* of({})
      const byTable = yield* of({ ANTHROPIC_API_KEY: key, CLAUDE_CONFIG_DIR: "/elsewhere" })
      assert.isDefined(byFile?.id)
      assert.strictEqual(byFile?.id, byTable?.id)
      assert.notStrictEqual(byFile?.id, (yield* of({ ANTHROPIC_API_KEY: "other" }))?.id)
      assert.notInclude(JSON.stringify(byFile), key)
      assert.deepStrictEqual(byTable?.files, ["/elsewhere/.credentials.json", envFile.path])
      const plain = { agent: undefined, argv: ["/usr/bin/claude", "-p", "work"] }
      assert.strictEqual((yield* of({}, plain))?.id, byFile?.id, "in any mode")
      assert.isUndefined(yield* of({}, { agent: undefined, argv: ["./claude.sh"] }))
      const missing = { path: join(home, "gone"), mustExist: true }
      assert.isUndefined(yield* of({}, { envFile: missing }), "the start reports why")
    })
  )
})
