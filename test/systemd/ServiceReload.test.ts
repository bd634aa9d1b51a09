import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { inState, pidOf, project } from "../live/worker/SeveralProjects.ts"
import { fixture } from "./Machine.ts"
import { autopilotd, started } from "./Service.ts"
import { underUserManager } from "./UserManager.ts"

const sleeps = [fixture("sleeps.sh")]

describe("systemctl reload", () => {
  underUserManager("brings new settings into force, in the same daemon", (machine) =>
    Effect.gen(function* () {
      const service = yield* started(machine, { settings: project("stays", sleeps) })
      const stays = yield* pidOf(service.home, "stays")
      const [mainPid = ""] = yield* service.show("MainPID")
      machine.write(".autopilot/daemon.toml", project("stays", sleeps) + project("comes", sleeps))
      yield* machine.sh("systemctl --user reload autopilotd")
      yield* pidOf(service.home, "comes")
      assert.strictEqual(yield* pidOf(service.home, "stays"), stays)
      yield* service.shows("SubState", /^running$/)
      assert.deepStrictEqual(yield* service.show("MainPID", "ActiveState", "NRestarts"), [
        mainPid,
        "active",
        "0"
      ])
      yield* service.shows("StatusText", /^2 projects: 2 running$/)
    })
  )

  underUserManager(
    "fails with settings that are wrong; the old ones go on, and the journal says why",
    (machine) =>
      Effect.gen(function* () {
        const service = yield* started(machine, { settings: project("stays", sleeps) })
        const stays = yield* pidOf(service.home, "stays")
        const [mainPid = ""] = yield* service.show("MainPID")
        machine.write(".autopilot/daemon.toml", `${project("stays", sleeps)}nonsense = 1\n`)
        const { code } = yield* machine.run("systemctl --user reload autopilotd")
        assert.strictEqual(code, 1)
        yield* service.journalHas(/nonsense is not a setting/)
        yield* service.journalHas(/nonsense/, "-p warning")
        // Not for ever in "reloading".
        yield* service.shows("SubState", /^running$/)
        assert.deepStrictEqual(yield* service.show("MainPID", "ActiveState", "NRestarts"), [
          mainPid,
          "active",
          "0"
        ])
        assert.strictEqual(yield* pidOf(service.home, "stays"), stays)

        machine.write(".autopilot/daemon.toml", project("stays", sleeps) + project("comes", sleeps))
        yield* machine.sh("systemctl --user reload autopilotd")
        yield* pidOf(service.home, "comes")
        assert.strictEqual(yield* pidOf(service.home, "stays"), stays)
      })
  )
})

describe("autopilotd reload", () => {
  underUserManager("leaves the unit active, whether it is refused or not", (machine) =>
    Effect.gen(function* () {
      const service = yield* started(machine, { settings: project("stays", sleeps) })
      yield* inState(service.home, "stays", "running")
      machine.write(".autopilot/daemon.toml", "nonsense = 1\n")
      assert.strictEqual((yield* machine.run(`${autopilotd} reload`)).code, 1)
      yield* service.shows("SubState", /^running$/)
      machine.write(".autopilot/daemon.toml", project("other", sleeps))
      yield* machine.sh(`${autopilotd} reload`)
      yield* inState(service.home, "other", "running")
      yield* service.shows("SubState", /^running$/)
      yield* service.shows("StatusText", /^running, pid \d+/)
    })
  )
})
