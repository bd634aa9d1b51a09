import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually } from "../live/TestDaemon.ts"
import { inState, pidOf, project, request } from "../live/worker/SeveralProjects.ts"
import { fixture, type Machine } from "./Machine.ts"
import { groupOfWorker, type Service, started, workerIs } from "./Service.ts"
import { underUserManager } from "./UserManager.ts"

/** The group that a process is in, as the machine names it. */
const groupOf = (machine: Machine, pid: number | null | undefined) =>
  Effect.map(machine.sh(`grep ^0:: /proc/${pid}/cgroup`), (line) => line.slice(3))

/** The pids that the worker of a project has told, by name, once its tree is up. */
const told = Effect.fnUntraced(function* (service: Service, name: string) {
  yield* service.journalHas(new RegExp(`^${name}\\| tree is up`))
  const line = new RegExp(`^${name}\\| process (\\S+) (\\d+)$`)
  return new Map(
    (yield* service.journal()).flatMap(({ text }) => {
      const [, process, pid] = line.exec(text) ?? []
      return process === undefined ? [] : [[process, Number(pid)] as const]
    })
  )
})

const alive = (service: Service, pids: Iterable<number>) => [...pids].filter((pid) => service.isAlive(pid))

const elsewhere = "/sys/fs/cgroup/user.slice/user-1500.slice/user@1500.service/elsewhere"

const settings = (() => {
  const all =
    "restart = { stop_grace_ms = 300, initial_backoff_ms = 200, max_consecutive_restarts = 100000 }\n"
  const crashing =
    "restart = { stop_grace_ms = 50, initial_backoff_ms = 20, max_backoff_ms = 20, max_consecutive_restarts = 20 }"
  const leaves = `mkdir ${elsewhere}; (setsid sh -c 'echo $$ >${elsewhere}/cgroup.procs; echo process gone $$; echo tree is up; exec sleep 1000000' &); exec sleep 1000000`
  return [
    all,
    project("calm", [fixture("sleeps.sh")]),
    project("tree", [fixture("grows-a-tree.sh")]),
    project("last", [fixture("grows-a-tree.sh")]),
    project("escapes", [fixture("escapes.sh"), "/home/tester/escaped"]),
    project("leaves", ["/bin/sh", "-c", leaves]),
    project("crashes", [fixture("exits-before-children.sh"), "/home/tester/go"], crashing)
  ].join("")
})()

describe("the cgroup of the service", () => {
  underUserManager(
    "has a group for each worker, of which no process survives a stop, whatever it did, and is empty in the end",
    (machine) =>
      Effect.gen(function* () {
        machine.write("go", "")
        const service = yield* started(machine, { settings })
        const calm = yield* pidOf(service.home, "calm")
        const data = yield* eventually(
          "its group is known",
          Effect.map(request(service.home, { type: "Status", project: "calm" }), ({ data }) =>
            data?.containment === undefined ? undefined : data
          )
        )
        assert.strictEqual(data.containment, "cgroup")
        assert.match(yield* service.tell("status --project calm"), /cgroup/i)
        const [controlGroup] = yield* service.show("ControlGroup")
        assert.strictEqual(yield* groupOf(machine, data.daemon_pid), `${controlGroup}/daemon`)
        assert.strictEqual(yield* groupOf(machine, calm), `${controlGroup}/${groupOfWorker(data)}`)
        assert.strictEqual(machine.read(`/sys/fs/cgroup${controlGroup}/cgroup.procs`), "")

        const grown = yield* told(service, "tree")
        assert.strictEqual(grown.size, 6)
        assert.strictEqual(alive(service, grown.values()).length, 6)
        assert.match(yield* service.tell("stop-worker tree"), /^Worker of tree is stopped/)
        assert.deepStrictEqual(alive(service, grown.values()), [])

        // Without parent, session or environment of their worker.
        const escaped = yield* eventually("three have tried to escape", () => {
          const pids = (machine.read("escaped") ?? "").split("\n").filter(Boolean).map(Number)
          return pids.length >= 3 ? pids : undefined
        })
        yield* service.tell("stop-worker --project escapes")
        assert.deepStrictEqual(alive(service, escaped), [])

        // The group is not the only thing by which a worker is found.
        const gone = (yield* told(service, "leaves")).get("gone")
        assert.strictEqual(yield* groupOf(machine, gone), elsewhere.slice("/sys/fs/cgroup".length))
        yield* service.tell("stop-worker --project leaves")
        assert.isFalse(service.isAlive(gone ?? 0))

        yield* inState(service.home, "crashes", "failed")
        const starts = (yield* service.journal()).filter(({ text }) => /crashes: Worker started/.test(text))
        assert.strictEqual(starts.length, 20)

        yield* eventually(
          "only the groups of what runs are there",
          Effect.map(service.groups, (groups) => {
            const names = groups.map((name) => name.replace(/\.[0-9a-f]{8}$/, "")).toSorted()
            return names.join() === "daemon,worker.calm,worker.last" || undefined
          })
        )
        assert.strictEqual(yield* pidOf(service.home, "calm"), calm)

        const last = yield* told(service, "last")
        yield* machine.sh("systemctl --user stop autopilotd")
        yield* service.shows("ActiveState", /^inactive$/)
        assert.deepStrictEqual(yield* service.members, [])
        assert.deepStrictEqual(yield* service.groups, [])
        assert.deepStrictEqual(alive(service, [calm, ...last.values()]), [])
        assert.deepStrictEqual(yield* service.show("Result"), ["success"])
      })
  )

  underUserManager(
    "is found again by the next daemon, after one that was killed without its unit's help; without a unit there is none",
    (machine) =>
      Effect.gen(function* () {
        const service = yield* started(machine, {
          settings: `${workerIs(fixture("escapes.sh"), "/home/tester/escaped")}[restart]\nstop_grace_ms = 300\ninitial_backoff_ms = 20\n`,
          // What KillMode= does by itself is switched off.
          dropIn: "KillMode=process\nSendSIGKILL=no\nRestartSec=100ms"
        })
        const before = yield* service.status("it has crashed", ({ total_restarts }) => total_restarts > 0)
        yield* machine.sh(`kill -KILL ${before.daemon_pid}`)
        const old = (machine.read("escaped") ?? "").split("\n").filter(Boolean).map(Number)
        yield* service.status("another daemon is there", ({ daemon_pid }) => daemon_pid !== before.daemon_pid)
        yield* service.tell("stop-worker")
        assert.deepStrictEqual(alive(service, old), [])
        assert.deepStrictEqual(yield* service.groups, ["daemon"])

        // A daemon that is no service has no groups, and follows the descent of processes.
        yield* machine.sh("/opt/autopilotd/bin/autopilotd uninstall")
        machine.write(".autopilot/daemon.toml", workerIs(fixture("sleeps.sh")))
        yield* machine.sh("/opt/autopilotd/bin/autopilotd start --detach")
        const { containment } = yield* service.status(
          "the worker of a daemon without a unit runs",
          (data) => data.worker_status === "running" && data.containment !== undefined
        )
        assert.strictEqual(containment, "tree")
        yield* service.tell("stop")
        assert.isFalse(fs.existsSync(join(service.home, "autopilotd.sock")))
      })
  )
})
