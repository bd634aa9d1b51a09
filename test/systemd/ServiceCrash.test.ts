import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually } from "../live/TestDaemon.ts"
import { fixture } from "./Machine.ts"
import { autopilotd, type Service, soonRestarted, started, workerIs } from "./Service.ts"
import { underUserManager } from "./UserManager.ts"

/** Waits for another daemon with a worker that runs, and for nothing else to be there. */
const another = Effect.fnUntraced(function* (
  service: Service,
  before: { readonly daemon_pid?: number; readonly worker_pid: number | null }
) {
  const after = yield* service.status(
    "another daemon has another worker",
    (data) => data.worker_status === "running" && data.daemon_pid !== before.daemon_pid
  )
  assert.isFalse(service.isAlive(before.daemon_pid ?? 0))
  assert.isFalse(service.isAlive(before.worker_pid))
  assert.deepStrictEqual(yield* service.show("MainPID", "NRestarts"), [String(after.daemon_pid), "1"])
  return after
})

/** The pids of the unit are these two: here from the outside, so only their number can be compared. */
const aloneWithOneWorker = (service: Service) =>
  eventually(
    "the unit is a daemon and a worker of one process",
    Effect.map(service.members, (pids) => pids.length === 2 || undefined)
  )

describe("the service after a crash", () => {
  underUserManager(
    "of the worker has another worker, of the daemon another of both, and after autopilotd stop none",
    (machine) =>
      Effect.gen(function* () {
        const service = yield* started(machine, {
          dropIn: soonRestarted,
          settings: `${workerIs(fixture("sleeps.sh"))}restart.initial_backoff_ms = 50\n`
        })
        const first = yield* service.running
        yield* machine.sh(`kill -KILL ${first.worker_pid}`)
        const second = yield* service.status(
          "another runs",
          (data) => data.worker_status === "running" && data.worker_pid !== first.worker_pid
        )
        assert.deepStrictEqual([second.daemon_pid, second.total_restarts], [first.daemon_pid, 1])
        assert.deepStrictEqual(yield* service.show("MainPID", "NRestarts", "ActiveState"), [
          String(first.daemon_pid),
          "0",
          "active"
        ])
        yield* aloneWithOneWorker(service)

        yield* machine.sh(`kill -KILL ${second.daemon_pid}`)
        yield* another(service, second)
        yield* aloneWithOneWorker(service)

        assert.strictEqual(yield* machine.sh(`${autopilotd} stop`), "Daemon stopped")
        yield* service.shows("SubState", /^dead$/)
        assert.deepStrictEqual(yield* service.show("ActiveState", "Result", "NRestarts"), [
          "inactive",
          "success",
          "1"
        ])
        assert.deepStrictEqual(yield* service.members, [])
      })
  )

  underUserManager("of the daemon has nothing left of a worker that ignores SIGTERM and spreads", (machine) =>
    Effect.gen(function* () {
      const service = yield* started(machine, {
        dropIn: soonRestarted,
        settings: workerIs(fixture("grows-a-tree.sh"))
      })
      const before = yield* service.running
      yield* service.journalHas(/default\| tree is up/)
      const grown = (yield* service.journal())
        .map(({ text }) => /^default\| process \S+ (\d+)$/.exec(text)?.[1])
        .filter((pid) => pid !== undefined)
        .map(Number)
      assert.strictEqual(grown.length, 6)
      yield* machine.sh(`kill -KILL ${before.daemon_pid}`)
      yield* another(service, before)
      assert.deepStrictEqual(
        grown.filter((pid) => service.isAlive(pid)),
        []
      )
    })
  )
})
