import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { command } from "../live/TestDaemon.ts"
import { inState, pidOf, project } from "../live/worker/SeveralProjects.ts"
import { fixture } from "./Machine.ts"
import { started } from "./Service.ts"
import { underUserManager } from "./UserManager.ts"

const stays = project("stays", [fixture("sleeps.sh")])
const comes = project("comes", [fixture("sleeps.sh")])

describe("systemctl reload", () => {
  underUserManager(
    "brings new settings into force in the same daemon; wrong ones fail, the old go on, and the journal says why",
    (machine) =>
      Effect.gen(function* () {
        const service = yield* started(machine, { settings: stays })
        const pid = yield* pidOf(service.home, "stays")
        const [mainPid = ""] = yield* service.show("MainPID")
        const settings = (text: string) => machine.write(".autopilot/daemon.toml", text)
        const goesOn = Effect.gen(function* () {
          // Not for ever in "reloading".
          yield* service.shows("SubState", /^running$/)
          assert.deepStrictEqual(yield* service.show("MainPID", "ActiveState", "NRestarts"), [
            mainPid,
            "active",
            "0"
          ])
          assert.strictEqual(yield* pidOf(service.home, "stays"), pid)
        })

        settings(`${stays}nonsense = 1\n`)
        assert.strictEqual((yield* machine.run("systemctl --user reload autopilotd")).code, 1)
        yield* service.journalHas(/nonsense is not a setting/)
        yield* service.journalHas(/nonsense/, "-p warning")
        yield* goesOn

        settings(stays + comes)
        yield* machine.sh("systemctl --user reload autopilotd")
        yield* pidOf(service.home, "comes")
        yield* service.shows("StatusText", /^2 projects: 2 running$/)
        yield* goesOn

        // `autopilotd reload` leaves the unit active, whether it is refused or not.
        settings("nonsense = 1\n")
        assert.strictEqual((yield* command({ home: service.home, args: ["reload"] })).code, 1)
        yield* goesOn
        settings(stays)
        yield* service.tell("reload")
        yield* service.shows("StatusText", /^running, pid \d+/)
        yield* goesOn
        settings(project("other", [fixture("sleeps.sh")]))
        yield* service.tell("reload")
        yield* inState(service.home, "other", "running")
        yield* service.shows("SubState", /^running$/)
      })
  )
})
