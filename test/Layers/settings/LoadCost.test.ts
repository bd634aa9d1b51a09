import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { AutopilotHome } from "../../../src/Layers/daemon/AutopilotHome.ts"
import { loadSettings } from "../../../src/Layers/settings/SettingsLoader.ts"
import { countedFibers } from "../../fixtures/CountedFibers.ts"
import { user } from "../../fixtures/SettingsUser.ts"

const project = (name: string): string =>
  `[projects.${name}]\nworking_dir = "/"\nworker_command = { type = "Command", argv = ["true"] }\n`

describe("a load of the settings", () => {
  it.scopedLive("takes no fiber, and a handful of operations for any number of projects", () =>
    Effect.gen(function* () {
      const { home, root, write } = yield* user
      const sources = { environment: {}, commandLine: {}, cwd: root, userHome: root }
      for (const names of [["a"], ["a", "b", "c", "d", "e"]]) {
        yield* write(".autopilot/daemon.toml", names.map(project).join(""))
        yield* countedFibers((counts) =>
          Effect.gen(function* () {
            const before = counts()
            const { projects } = yield* Effect.provideService(loadSettings(sources), AutopilotHome, home)
            const after = counts()
            assert.lengthOf(projects, names.length)
            assert.strictEqual(after.fibers - before.fibers, 0)
            assert.isAtMost(after.operations - before.operations, 40)
          })
        )
      }
    })
  )
})
