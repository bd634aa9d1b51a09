import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually } from "../live/TestDaemon.ts"
import { fixture, type Machine } from "./Machine.ts"
import { soonRestarted, started, workerIs } from "./Service.ts"
import { underUserManager } from "./UserManager.ts"

/** From now on nobody finds perl there. */
const withoutPerl = (machine: Machine) =>
  machine.asRoot(
    "for path in $(which -a perl | xargs readlink -f | sort -u); do mount -n --bind /dev/null $path; done"
  )

interface Channel {
  readonly name: string
  readonly without: (machine: Machine) => Effect.Effect<unknown>
  readonly hasDescriptor: boolean
}

const channels: ReadonlyArray<Channel> = [
  { name: "a descriptor that perl has opened", without: () => Effect.void, hasDescriptor: true },
  { name: "systemd-notify, where there is no perl", without: withoutPerl, hasDescriptor: false }
]

for (const { hasDescriptor, name, without } of channels) {
  describe(`systemd is told by ${name}`, () => {
    underUserManager(
      "that the daemon is ready, how the worker does, that it reloads, and that it lives, until its loop hangs",
      (machine) =>
        Effect.gen(function* () {
          yield* without(machine)
          const service = yield* started(machine, {
            settings: `${workerIs(fixture("sleeps.sh"))}[memory]\npoll_interval_ms = 200\n`,
            dropIn: `${soonRestarted}\nWatchdogSec=4`
          })
          const heard = () =>
            Effect.map(service.show("WatchdogTimestampMonotonic"), ([micros = "0"]) => Number(micros))
          const first = yield* heard()
          const { daemon_pid, worker_pid } = yield* service.running
          const environ = yield* machine.sh(`tr '\\0' '\\n' </proc/${daemon_pid}/environ`)
          assert.strictEqual(/^AUTOPILOTD_NOTIFY_FD=/m.test(environ), hasDescriptor)
          yield* service.shows("StatusText", new RegExp(`^running, pid ${worker_pid}`))
          yield* machine.sh("systemctl --user reload autopilotd")
          yield* service.shows("SubState", /^running$/)
          yield* service.tell("stop-worker")
          yield* service.shows("StatusText", /^stopped: stopped by command$/)
          yield* service.tell("start-worker")
          const before = yield* service.running
          const journal = (yield* service.journal()).map(({ text }) => text).join("\n")
          assert.notMatch(journal, /does not receive readiness|Got notification message from PID/)

          yield* eventually(
            "it has reported for longer than the limit",
            Effect.map(heard(), (now) => now > first + 4_500_000 || undefined)
          )
          assert.deepStrictEqual(yield* service.show("NRestarts", "MainPID"), ["0", String(daemon_pid)])
          yield* machine.sh(`kill -STOP ${daemon_pid}`)
          yield* service.journalHas(/Watchdog timeout \(limit 4s\)/)
          const after = yield* service.status(
            "another daemon has another worker",
            (data) => data.worker_status === "running" && data.daemon_pid !== daemon_pid
          )
          assert.deepStrictEqual(yield* service.show("NRestarts", "MainPID"), ["1", String(after.daemon_pid)])
          assert.isFalse(service.isAlive(before.worker_pid))
          assert.isFalse(service.isAlive(daemon_pid ?? 0))
          yield* eventually(
            "the unit is a daemon and a worker of one process",
            Effect.map(service.members, (pids) => pids.length === 2 || undefined)
          )
        })
    )

    if (!hasDescriptor) return
    underUserManager("that a stop takes longer than the unit allows", (machine) =>
      Effect.gen(function* () {
        yield* without(machine)
        const slow = `trap 'for i in 1 2 3 4; do sleep 1; done; echo saved >"$HOME/last-words"; exit 0' TERM
          echo up; while :; do sleep 0.1; done`
        const service = yield* started(machine, {
          settings: `${workerIs("/bin/bash", "-c", slow)}[restart]\nstop_grace_ms = 30000\n`,
          dropIn: "TimeoutStopSec=2"
        })
        const before = yield* service.running
        yield* service.journalHas(/^default\| up$/)
        yield* machine.sh("systemctl --user restart autopilotd")
        assert.strictEqual(machine.read("last-words"), "saved\n")
        assert.notStrictEqual((yield* service.running).daemon_pid, before.daemon_pid)
        const journal = (yield* service.journal()).map(({ text }) => text).join("\n")
        assert.notMatch(journal, /timed out|Killing process|SIGKILL|Failed with result/)
        assert.match(journal, /Stopped; all workers have exited/)
      })
    )
  })
}
