import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  ask,
  command,
  eventually,
  fixture,
  isAlive,
  run,
  startDaemon,
  temporaryHome,
  workersOf
} from "../TestDaemon.ts"

describe("a worker under supervision", () => {
  it.scopedLive("starts, is restarted after a crash, and stops with the daemon", () =>
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

  it.scopedLive(
    "that crashes waits for the configured backoff, in which status shows the next start and no pid",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        fs.writeFileSync(join(home, "daemon.toml"), "[restart]\ninitial_backoff_ms = 270000\n")
        const daemon = yield* run({ home, args: ["start", "--", fixture("ends.sh"), "0", "1"] })
        const status = Effect.map(ask(home, { type: "Status" }), ({ data }) => data)
        const first = yield* eventually("the first answer", status)
        assert.notStrictEqual(first.worker_status, "")
        assert.isAbove(first.memory_available_bytes, 0)
        const data = yield* eventually(
          "a backoff",
          Effect.map(status, (now) => (now?.next_start_at_ms === undefined ? undefined : now))
        )
        assert.deepStrictEqual(
          [data.worker_status, data.worker_pid, data.uptime_seconds, data.consecutive_failures],
          ["restarting", null, 0, 1]
        )
        assert.isAbove(data.next_start_at_ms ?? 0, Date.now())
        yield* eventually("the log says when", () =>
          daemon.stderr().includes("the next start is in 4 min 30 s")
        )
      })
  )

  it.scopedLive("that has finished its work runs again on command (D11)", () =>
    Effect.gen(function* () {
      const { home, ...daemon } = yield* startDaemon({ worker: [fixture("ends.sh"), "0", "0"] })
      const data = yield* daemon.status("it has finished", (now) => now.worker_status === "stopped")
      assert.match(data.reason ?? "", /its work is finished/)
      yield* command({ home, args: ["start-worker", "--no-wait"] })
      yield* eventually("it has run twice", () => daemon.stdout().match(/up \d/g)?.length === 2)
    })
  )
})
