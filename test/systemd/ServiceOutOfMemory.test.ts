import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { unlessMissing } from "../fixtures/Missing.ts"
import { fixture, node, noMemoryController } from "./Machine.ts"
import { autopilotd, groupOfWorker, started, workerIs } from "./Service.ts"
import { noUserManager, userManager } from "./UserManager.ts"

const limitMebibytes = 100

/** Waits for a file named `go`, then holds four times the limit. */
const leaks = `until [ -e /home/tester/go ]; do sleep 0.1; done; exec ${node} ${fixture("hoards.mjs")} '{"mebibytes":${4 * limitMebibytes}}'`

describe("a worker that reaches the memory limit of its own cgroup", () => {
  unlessMissing(noUserManager, noMemoryController)(
    "is killed by the kernel; status, why and history call that proven, and the daemon lives",
    () =>
      Effect.gen(function* () {
        const machine = yield* userManager
        const service = yield* started(machine, {
          settings: `${workerIs("/bin/sh", "-c", leaks)}[restart]\nmax_consecutive_restarts = 1\n`
        })
        const before = yield* service.running
        const group = (yield* service.show("ControlGroup")).join("")
        const folder = machine.cgroup(join(group, groupOfWorker(before)))
        fs.writeFileSync(join(folder, "memory.max"), String(limitMebibytes * 2 ** 20))
        // Swap only delays the kill. A kernel without swap accounting has no such file.
        const swap = join(folder, "memory.swap.max")
        if (fs.existsSync(swap)) fs.writeFileSync(swap, "0")
        machine.write("go", "")

        const data = yield* service.status(
          "the worker has failed",
          ({ worker_status }) => worker_status === "failed"
        )
        const proven = new RegExp(
          "killed by SIGKILL after [^;]+; the kernel killed it because it reached the limit of its cgroup, " +
            `${limitMebibytes} MiB \\(1 kill in the cgroup [^ ;]*${groupOfWorker(before).replaceAll(".", "\\.")}`
        )
        assert.match(`${data.last_exit}`, proven)
        assert.match(yield* machine.sh(`${autopilotd} why`), proven)
        assert.match(yield* machine.sh(`${autopilotd} history --json`), /"certainty":"proven"/)
        assert.strictEqual(data.daemon_pid, before.daemon_pid)
      })
  )
})
