import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { noPidNamespaces, unlessMissing } from "../../fixtures/Missing.ts"
import {
  command,
  eventually,
  fixture,
  isAlive,
  launcher,
  run,
  startDaemon,
  temporaryHome
} from "../TestDaemon.ts"

/** The launcher is process 1 there, as it is in a container without an init. */
const container = ["unshare", "--pid", "--fork", "--mount", "--mount-proc", "--kill-child"]

const childrenOf = (pid: number): ReadonlyArray<number> =>
  fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number)

const isZombie = (pid: number): boolean => /\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, "latin1"))

describe("in a container without an init", () => {
  unlessMissing(noPidNamespaces)("tools leave no zombies, and stop works from outside", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const tools = 'for i in 1 2 3 4 5 6 7 8; do (sleep 0.2 &); done; echo "all started"; exec sleep 1000000'
      const daemon = yield* startDaemon({ home, entrance: container, worker: ["sh", "-c", tools] })
      const [first = 0] = childrenOf(daemon.pid)
      yield* eventually("the tools were started", () => daemon.stdout().includes("all started"))
      yield* eventually("process 1 has no child but the daemon", () => childrenOf(first).length === 1)
      assert.isFalse(childrenOf(first).some(isZombie))
      // The daemon's pid is another process here, or none.
      const stopped = yield* command({ home, args: ["stop"] })
      assert.deepStrictEqual([stopped.code, stopped.stdout], [0, "Daemon stopped\n"], stopped.stderr)
      assert.deepStrictEqual(yield* daemon.ended, { code: 0, signal: null })
      assert.isTrue(spawnSync("flock", ["-n", join(home, "autopilotd.lock"), "true"]).status === 0)
    })
  )

  unlessMissing(noPidNamespaces)("process 1 passes SIGTERM on, and exits with the code of the daemon", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const daemon = yield* startDaemon({ home, entrance: container, worker: [fixture("sleeps.sh")] })
      const { worker_pid } = yield* daemon.status("it runs", (data) => data.worker_status === "running")
      assert.isAbove(worker_pid ?? 0, 1)
      const [first = 0] = childrenOf(daemon.pid)
      process.kill(first, "SIGTERM")
      assert.deepStrictEqual(yield* daemon.ended, { code: 0, signal: null })
      assert.match(daemon.stderr(), /Shutting down: SIGTERM/)
      const failed = yield* run({
        home,
        command: "unshare",
        args: [...container.slice(1), launcher, "start", "--config", "/nonexistent", "--", "true"]
      })
      assert.deepStrictEqual(yield* failed.ended, { code: 1, signal: null }, failed.stderr())
    })
  )
})

describe("two daemons that cannot see each other", () => {
  unlessMissing(noPidNamespaces)(
    "one that has lost its home to the other stops its worker, and says so",
    () =>
      Effect.gen(function* () {
        const worker = [fixture("sleeps.sh")]
        const first = yield* startDaemon({ worker })
        const { home } = first
        const { worker_pid } = yield* first.status("it runs", (data) => data.worker_status === "running")
        // It sleeps while its home is removed and taken, as a suspended machine's daemon does.
        first.child.kill("SIGSTOP")
        fs.rmSync(home, { recursive: true })
        fs.mkdirSync(home, { mode: 0o700 })
        const second = yield* startDaemon({ home, entrance: container, worker })
        const before = yield* second.status("it runs", (data) => data.worker_status === "running")
        first.child.kill("SIGCONT")
        assert.deepStrictEqual(yield* first.ended, { code: 1, signal: null }, first.stderr())
        assert.include(first.stderr(), "Shutting down: another daemon has taken this home")
        assert.isFalse(isAlive(worker_pid ?? 0))
        const after = yield* second.status("it answers", (data) => data.daemon_pid === before.daemon_pid)
        assert.deepStrictEqual(
          [after.worker_pid, after.worker_status, after.total_restarts],
          [before.worker_pid, "running", 0]
        )
        assert.strictEqual(fs.readFileSync(join(home, "autopilotd.pid"), "utf8"), String(before.daemon_pid))
        assert.strictEqual((yield* command({ home, args: ["stop"] })).code, 0)
      })
  )
})

describe("where /proc shows the processes of another PID namespace", () => {
  unlessMissing(noPidNamespaces)("a daemon does not start, and says why", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const args = ["--pid", "--fork", "--kill-child", launcher, "start", "--", "true"]
      const refused = yield* command({ home, command: "unshare", args })
      assert.strictEqual(refused.code, 1)
      assert.match(
        refused.stderr,
        /^autopilotd: \/proc does not show the processes of this PID namespace: .* Mount it there/
      )
    })
  )
})

describe("a worker whose daemon was killed", () => {
  it.scopedLive("is reported by status, doctor and why, and stopped by stop", () =>
    Effect.gen(function* () {
      const daemon = yield* startDaemon({ worker: [fixture("sleeps.sh")] })
      const { home } = daemon
      const { worker_pid } = yield* daemon.status("it runs", (data) => data.worker_status === "running")
      daemon.child.kill("SIGKILL")
      yield* daemon.ended
      const said = new RegExp(`1 process \\(pid ${worker_pid}\\) of its workers`)
      const status = yield* command({ home, args: ["status"] })
      assert.strictEqual(status.code, 3)
      assert.match(status.stderr, said)
      const doctor = yield* command({ home, args: ["doctor", "--json"] })
      assert.strictEqual(doctor.code, 1)
      assert.match(doctor.stdout, said)
      assert.match((yield* command({ home, args: ["why"] })).stdout, said)
      // The id of the home is known from the saved state.
      fs.rmSync(join(home, "id"))
      const stopped = yield* command({ home, args: ["stop"] })
      assert.strictEqual(stopped.code, 0, stopped.stderr)
      assert.match(stopped.stdout, new RegExp(`^No daemon was running\\. Stopped .*\\(pid ${worker_pid}\\)`))
      assert.isFalse(isAlive(worker_pid ?? 0))
      assert.strictEqual((yield* command({ home, args: ["stop"] })).code, 0)
    })
  )
})
