import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { linesBelow } from "../deploy/Pages.ts"
import { eventually } from "../live/TestDaemon.ts"
import { onBootedMachine } from "./BootedMachine.ts"
import { fixture, project } from "./Machine.ts"
import { type StatusData, serviceOn, workerIs } from "./Service.ts"

const user = "tester"

describe("autopilotd@.service, a system unit for one user", () => {
  onBootedMachine(
    "runs as the user without a login, by the commands of docs/systemd.md; the user stops it, and root starts it again",
    (machine) =>
      Effect.gen(function* () {
        machine.write(".autopilot/daemon.toml", workerIs(fixture("sleeps.sh")))
        yield* machine.asRoot(`ln -s ${project}/bin/autopilotd /usr/local/bin/autopilotd`)
        yield* machine.asRoot("ln -sf /opt/node/bin/node /usr/local/bin/node")
        const [commands = ""] = linesBelow("systemd.md", "For all users of a machine")
        yield* machine.asRoot(`set -e; cd ${project}; ${commands.replaceAll("@ada", `@${user}`)}`)
        const verdict = "systemd-analyze verify --man=no /etc/systemd/system/autopilotd@.service 2>&1"
        assert.strictEqual(yield* machine.asRoot(verdict), "")

        const status = (isWanted: (data: StatusData) => boolean) =>
          serviceOn(machine).status(
            "the worker runs in a cgroup of its own",
            (data) => data.worker_status === "running" && data.containment === "cgroup" && isWanted(data)
          )
        const before = yield* status(() => true)
        assert.strictEqual(yield* machine.asRoot(`stat -c %U /proc/${before.worker_pid}`), user)
        assert.strictEqual(yield* machine.asRoot("loginctl list-users --no-legend"), "")
        assert.match(
          yield* machine.asRoot(`cat /proc/${before.worker_pid}/cgroup`),
          new RegExp(`^0::/system\\.slice/.*autopilotd@${user}\\.service/worker\\.`, "m")
        )
        yield* machine.asRoot(`systemctl reload autopilotd@${user}`)

        // A daemon that was killed comes back; one that the user has stopped does not.
        yield* machine.asRoot(`kill -KILL ${before.daemon_pid}`)
        const again = yield* status(({ daemon_pid }) => daemon_pid !== before.daemon_pid)
        assert.notStrictEqual(again.worker_pid, before.worker_pid)
        yield* machine.sh("autopilotd stop")
        const show = (property: string) => machine.asRoot(`systemctl show -P ${property} autopilotd@${user}`)
        yield* eventually(
          "the unit is stopped",
          Effect.map(show("ActiveState"), (state) => state === "inactive" || undefined)
        )
        assert.strictEqual(yield* show("Result"), "success")
        yield* machine.asRoot(`systemctl start autopilotd@${user}`)
        yield* status(() => true)
        yield* machine.asRoot(`systemctl stop autopilotd@${user}`)
        assert.strictEqual(yield* show("Result"), "success")
      })
  )
})
