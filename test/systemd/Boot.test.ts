import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { onBootedMachine } from "./BootedMachine.ts"
import { fixture } from "./Machine.ts"
import { autopilotd, serviceOn, started, workerIs } from "./Service.ts"

/** It needs two seconds to end, and then writes its last words. */
const savesItsWork = `
trap 'sleep 1; sleep 1; echo saved >>"$HOME/last-words"; exit 0' TERM
echo up
while :; do sleep 0.1; done
`

describe("the service on a machine that boots", () => {
  onBootedMachine("runs after a reboot without a login, and ends in good order with the machine", (machine) =>
    Effect.gen(function* () {
      yield* machine.linger
      const service = yield* started(machine, { settings: workerIs("/bin/bash", "-c", savesItsWork) })
      const before = yield* service.running
      yield* machine.reboot
      assert.strictEqual(machine.read("last-words"), "saved\n")
      const after = yield* service.running
      assert.notStrictEqual(after.worker_id, before.worker_id)
      assert.strictEqual(yield* machine.asRoot("loginctl list-sessions --no-legend"), "")
      assert.match(yield* machine.sh("systemctl --user status autopilotd"), /Active: active \(running\)/)
      yield* service.journalHas(/^default\| up$/)
      yield* machine.powerOff
      assert.strictEqual(machine.read("last-words"), "saved\nsaved\n")
      assert.match(
        machine.read(".autopilot/logs/autopilotd.log") ?? "",
        /Stopped; all workers have exited\n$/
      )
      assert.isUndefined(machine.read(".autopilot/autopilotd.sock"))
    })
  )

  onBootedMachine(
    "goes on when the user logs out, as install and doctor say, and is restarted, reloaded and stopped as anywhere",
    (machine) =>
      Effect.gen(function* () {
        yield* machine.linger
        const service = serviceOn(machine)
        machine.write(".autopilot/daemon.toml", workerIs(fixture("sleeps.sh")))
        assert.match(yield* machine.sh("/opt/autopilotd/bin/autopilotd install"), /Lingering is on/)
        const before = yield* service.running
        const { stdout } = yield* machine.run(`${autopilotd} doctor`)
        assert.match(stdout, /^ok +Lingering/m)
        assert.strictEqual(before.containment, "cgroup")
        yield* machine.sh("systemctl --user reload autopilotd")
        yield* machine.sh("systemctl --user restart autopilotd")
        const after = yield* service.running
        assert.notStrictEqual(after.daemon_pid, before.daemon_pid)
        yield* machine.sh("systemctl --user stop autopilotd")
        assert.deepStrictEqual(yield* service.members, [])
        assert.deepStrictEqual(yield* service.show("Result", "ActiveState"), ["success", "inactive"])
      })
  )
})
