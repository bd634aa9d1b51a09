import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { dropInBelow } from "../deploy/Pages.ts"
import { placed, soonRestarted, workerIs } from "./Service.ts"
import { underUserManager } from "./UserManager.ts"

describe("the service with the drop-in of docs/systemd.md for one work", () => {
  underUserManager(
    "ends with the work: a success, or a failure that systemd does not repeat; a crash of the daemon is repeated",
    (machine) =>
      Effect.gen(function* () {
        const dropIn = `${dropInBelow("systemd.md", "One work, then exit").replace("[Service]\n", "")}${soonRestarted}`
        const untilDone = workerIs("/bin/sh", "-c", "until [ -e done ]; do sleep 0.1; done; exit $(cat done)")
        const settings = `working_dir = "~"\nrestart.max_consecutive_restarts = 1\n${untilDone}`
        const service = yield* placed(machine, { settings, dropIn })
        const begin = machine.sh("rm -f done; systemctl --user start autopilotd")
        const ends = (code: string) => machine.sh(`echo ${code} >done`)

        yield* begin
        const { daemon_pid } = yield* service.running
        yield* machine.sh(`kill -KILL ${daemon_pid}`)
        const next = yield* service.status(
          "another daemon runs",
          (data) => data.daemon_pid !== daemon_pid && data.worker_status === "running"
        )
        assert.notStrictEqual(next.daemon_pid, daemon_pid)
        yield* ends("0")
        yield* service.shows("ActiveState", /^inactive$/)
        assert.deepStrictEqual(yield* service.show("Result", "ExecMainStatus"), ["success", "0"])

        yield* begin
        yield* service.running
        yield* ends("3")
        yield* service.shows("ActiveState", /^failed$/)
        assert.deepStrictEqual(yield* service.show("Result", "ExecMainStatus"), ["exit-code", "1"])
        assert.deepStrictEqual(yield* service.members, [])
      })
  )
})
