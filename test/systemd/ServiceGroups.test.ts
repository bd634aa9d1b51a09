import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually } from "../live/TestDaemon.ts"
import { inState, pidOf, project } from "../live/worker/SeveralProjects.ts"
import { fixture, type Machine } from "./Machine.ts"
import { autopilotd, groupOfWorker, type Service, type StatusData, started, workerIs } from "./Service.ts"
import { underUserManager } from "./UserManager.ts"

/** The group that a process is in, as the machine names it. */
const groupOf = (machine: Machine, pid: number | null | undefined) =>
  Effect.map(machine.sh(`grep ^0:: /proc/${pid}/cgroup`), (line) => line.slice(3))

/** The pids that a worker has told, by name, once its tree is up. */
const told = Effect.fnUntraced(function* (service: Service) {
  yield* service.journalHas(/\| tree is up/)
  return new Map(
    (yield* service.journal()).flatMap(({ text }) => {
      const [, name, pid] = /\| process (\S+) (\d+)$/.exec(text) ?? []
      return name === undefined ? [] : [[name, Number(pid)] as const]
    })
  )
})

const alive = (service: Service, pids: Iterable<number>) => [...pids].filter((pid) => service.isAlive(pid))

const emptyAndGone = Effect.fnUntraced(function* (service: Service) {
  yield* service.shows("ActiveState", /^inactive$/)
  assert.deepStrictEqual(yield* service.members, [])
  assert.deepStrictEqual(yield* service.groups, [])
})

const shortGrace = "[restart]\nstop_grace_ms = 300\ninitial_backoff_ms = 20\n"

describe("the cgroup of the service", () => {
  underUserManager("has a leaf for the daemon and a group for each worker, and status says so", (machine) =>
    Effect.gen(function* () {
      const service = yield* started(machine)
      const data = yield* service.running
      assert.strictEqual(data.containment, "cgroup")
      const [controlGroup] = yield* service.show("ControlGroup")
      assert.strictEqual(yield* groupOf(machine, data.daemon_pid), `${controlGroup}/daemon`)
      assert.strictEqual(yield* groupOf(machine, data.worker_pid), `${controlGroup}/${groupOfWorker(data)}`)
      assert.sameMembers([...(yield* service.groups)], ["daemon", groupOfWorker(data)])
      assert.strictEqual(machine.read(`/sys/fs/cgroup${controlGroup}/cgroup.procs`), "")
      assert.match(yield* machine.sh(`${autopilotd} status`), /cgroup/i)
    })
  )

  underUserManager("contains no process of a worker after its stop, whatever the worker did", (machine) =>
    Effect.gen(function* () {
      const service = yield* started(machine, { settings: workerIs(fixture("grows-a-tree.sh")) + shortGrace })
      const tree = yield* told(service)
      assert.strictEqual(tree.size, 6)
      assert.strictEqual(alive(service, tree.values()).length, 6)
      assert.match(yield* machine.sh(`${autopilotd} stop-worker`), /^Worker is stopped/)
      assert.deepStrictEqual(alive(service, tree.values()), [])
      assert.deepStrictEqual(yield* service.groups, ["daemon"])
    })
  )

  underUserManager(
    "is empty and gone after a stop, also of a worker that ignores SIGTERM and spreads",
    (machine) =>
      Effect.gen(function* () {
        const service = yield* started(machine, {
          settings: workerIs(fixture("grows-a-tree.sh")) + shortGrace
        })
        const tree = yield* told(service)
        yield* machine.sh("systemctl --user stop autopilotd")
        yield* emptyAndGone(service)
        assert.deepStrictEqual(alive(service, tree.values()), [])
        assert.deepStrictEqual(yield* service.show("Result"), ["success"])
      })
  )

  underUserManager(
    "shows the daemon a process without parent, session or environment of its worker",
    (machine) =>
      Effect.gen(function* () {
        const service = yield* started(machine, {
          settings: workerIs(fixture("escapes.sh"), "/home/tester/escaped") + shortGrace
        })
        const escaped = yield* eventually(
          "three have tried to escape",
          Effect.sync(() => {
            const pids = (machine.read("escaped") ?? "").split("\n").filter(Boolean).map(Number)
            return pids.length >= 3 ? pids : undefined
          })
        )
        yield* machine.sh(`${autopilotd} stop-worker`)
        assert.deepStrictEqual(alive(service, escaped), [])
        assert.deepStrictEqual(yield* service.groups, ["daemon"])
      })
  )

  underUserManager(
    "need not contain a process: the daemon also kills one that has moved to another cgroup",
    (machine) =>
      Effect.gen(function* () {
        const elsewhere = "/sys/fs/cgroup/user.slice/user-1500.slice/user@1500.service/elsewhere"
        const leaves = `mkdir ${elsewhere}; (setsid sh -c 'echo $$ >${elsewhere}/cgroup.procs; echo process gone $$; echo tree is up; exec sleep 1000000' &); exec sleep 1000000`
        const service = yield* started(machine, { settings: workerIs("/bin/sh", "-c", leaves) + shortGrace })
        const gone = (yield* told(service)).get("gone")
        assert.strictEqual(yield* groupOf(machine, gone), elsewhere.slice("/sys/fs/cgroup".length))
        yield* machine.sh(`${autopilotd} stop-worker`)
        assert.isFalse(service.isAlive(gone ?? 0))
      })
  )

  underUserManager("has no group left of twenty workers that have crashed", (machine) =>
    Effect.gen(function* () {
      const settings = `${workerIs(fixture("exits-before-children.sh"), "/home/tester/go")}[restart]
stop_grace_ms = 50
initial_backoff_ms = 20
max_backoff_ms = 20
max_consecutive_restarts = 20
`
      machine.write("go", "")
      const service = yield* started(machine, { settings })
      yield* service.status("it has given up", (data) => data.worker_status === "failed")
      const { length: starts } = (yield* service.journal()).filter(({ text }) => /Worker started/.test(text))
      assert.strictEqual(starts, 20)
      yield* eventually(
        "only the daemon's group is there",
        Effect.map(service.groups, (groups) => groups.join() === "daemon" || undefined)
      )
      assert.strictEqual((yield* service.members).length, 1)
    })
  )

  underUserManager("keeps the workers of several projects apart", (machine) =>
    Effect.gen(function* () {
      const settings =
        shortGrace + project("one", [fixture("grows-a-tree.sh")]) + project("two", [fixture("sleeps.sh")])
      const service = yield* started(machine, { settings })
      const two = yield* pidOf(service.home, "two")
      const tree = yield* told(service)
      yield* machine.sh(`${autopilotd} stop-worker --project one`)
      yield* inState(service.home, "one", "stopped")
      assert.deepStrictEqual(alive(service, tree.values()), [])
      assert.strictEqual(yield* pidOf(service.home, "two"), two)
      assert.deepStrictEqual(
        (yield* service.groups).map((name) => name.replace(/\.[0-9a-f]{8}$/, "")).toSorted(),
        ["daemon", "worker.two"]
      )
    })
  )

  underUserManager(
    "is found again by the next daemon, after one that was killed without its unit's help",
    (machine) =>
      Effect.gen(function* () {
        const service = yield* started(machine, {
          settings: workerIs(fixture("escapes.sh"), "/home/tester/escaped") + shortGrace,
          // What KillMode= does by itself is switched off.
          dropIn: "KillMode=process\nSendSIGKILL=no\nRestartSec=100ms"
        })
        const before = yield* service.status("it has crashed", ({ total_restarts }) => total_restarts > 0)
        yield* machine.sh(`kill -KILL ${before.daemon_pid}`)
        const old = (machine.read("escaped") ?? "").split("\n").filter(Boolean).map(Number)
        yield* service.status("another daemon is there", ({ daemon_pid }) => daemon_pid !== before.daemon_pid)
        yield* machine.sh(`${autopilotd} stop-worker`)
        assert.deepStrictEqual(alive(service, old), [])
        assert.deepStrictEqual(yield* service.groups, ["daemon"])
      })
  )
})

describe("a daemon on the same machine that is no service", () => {
  underUserManager("shows the containment tree, which follows the descent of processes", (machine) =>
    Effect.gen(function* () {
      machine.write(".autopilot/daemon.toml", workerIs(fixture("sleeps.sh")))
      yield* machine.sh("/opt/autopilotd/bin/autopilotd start --detach")
      const told = yield* eventually(
        "its worker runs",
        Effect.map(machine.sh("/opt/autopilotd/bin/autopilotd status --json"), (text) => {
          const { data }: { data: StatusData } = JSON.parse(text)
          return data.worker_status === "running" ? data : undefined
        })
      )
      assert.strictEqual(told.containment, "tree")
      yield* machine.sh("/opt/autopilotd/bin/autopilotd stop")
      assert.isFalse(fs.existsSync(join(machine.outside(".autopilot"), "autopilotd.sock")))
    })
  )
})
