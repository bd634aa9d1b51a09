import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import { layer, SelectedProject } from "../../../src/Layers/worker/SelectedProject.ts"
import { heldHome } from "../../fixtures/HeldHome.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

const shop = ProjectName.make("shop")

const inHome = (home: string, events: Array<DaemonEvent> = []) =>
  Effect.provide(
    Layer.provide(
      layer,
      Layer.mergeAll(heldHome("home"), Layer.succeed(AutopilotHome, pathsBelow(home)), recordedEvents(events))
    )
  )

const load = Effect.flatMap(SelectedProject, (selection) => selection.load)
const save = (name: ProjectName) => Effect.flatMap(SelectedProject, (selection) => selection.save(name))

describe("the selection", () => {
  it.scopedLive("is read back as it was saved, from a readable file", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      assert.isUndefined(yield* load.pipe(inHome(home)))
      yield* save(shop).pipe(inHome(home))
      assert.strictEqual(yield* load.pipe(inHome(home)), "shop")
      assert.strictEqual(fs.readFileSync(join(home, "selected"), "utf8"), "shop\n")
      assert.strictEqual(fs.statSync(join(home, "selected")).mode & 0o777, 0o600)
    })
  )

  it.scopedLive("is none where the file holds anything but a name", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      for (const text of ["", "\n", "../etc", "a b", "\0", "x".repeat(65)]) {
        fs.writeFileSync(join(home, "selected"), text)
        assert.isUndefined(yield* load.pipe(inHome(home)), JSON.stringify(text))
      }
      fs.rmSync(join(home, "selected"))
      execFileSync("mkfifo", [join(home, "selected")])
      assert.isUndefined(yield* load.pipe(inHome(home)))
    })
  )

  it.scopedLive("that cannot be saved is reported and stops nothing", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const events: Array<DaemonEvent> = []
      fs.mkdirSync(join(home, "selected"))
      yield* save(shop).pipe(inHome(home, events))
      assert.deepStrictEqual(
        events.map(({ _tag }) => _tag),
        ["SelectionNotSaved"]
      )
    })
  )
})
