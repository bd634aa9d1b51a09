import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { command, eventually, fixture, isAlive, startDaemon, workersOf } from "../TestDaemon.ts"

describe("a worker under supervision", () => {
  it.scopedLive("is started, comes back after a crash, and ends with the daemon", () =>
    Effect.gen(function* () {
      const daemon = yield* startDaemon({ worker: [fixture("sleeps.sh")] })
      const first = yield* daemon.status("it runs", (data) => data.worker_status === "running")
      process.kill(first.worker_pid ?? 0, "SIGKILL")
      const second = yield* daemon.status(
        "another one runs",
        (data) => data.worker_status === "running" && data.worker_pid !== first.worker_pid
      )
      assert.strictEqual(second.total_restarts, 1)
      assert.strictEqual(second.consecutive_failures, 1)
      assert.match(second.last_exit ?? "", /^killed by SIGKILL after /)
      daemon.child.kill("SIGTERM")
      assert.deepStrictEqual(yield* daemon.ended, { code: 0, signal: null })
      assert.isFalse(isAlive(second.worker_pid ?? 0))
      assert.deepStrictEqual(workersOf(daemon.home), [])
    })
  )

  it.scopedLive("can be stopped, started and restarted by commands that return when it is so", () =>
    Effect.gen(function* () {
      const { home, ...daemon } = yield* startDaemon({ worker: [fixture("sleeps.sh")] })
      yield* daemon.status("it runs", (data) => data.worker_status === "running")
      const stopped = yield* command({ home, args: ["stop-worker"] })
      assert.strictEqual(stopped.stdout, "Worker is stopped: stopped by command\n")
      assert.deepStrictEqual(workersOf(home), [])
      const started = yield* command({ home, args: ["start-worker"] })
      assert.match(started.stdout, /^Worker is running, pid \d+\n$/)
      const restarted = yield* command({ home, args: ["restart-worker"] })
      assert.match(restarted.stdout, /^Worker is running, pid \d+\n$/)
      assert.notStrictEqual(restarted.stdout, started.stdout)
      yield* eventually(
        "one process",
        Effect.sync(() => (workersOf(home).length === 1 ? true : undefined))
      )
      const stop = yield* command({ home, args: ["stop"] })
      assert.strictEqual(stop.stdout, "Daemon stopped\n")
      assert.isFalse(isAlive(daemon.pid))
    })
  )
})
