import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { command, eventually, isAlive, startDaemon, temporaryHome } from "../TestDaemon.ts"
import { hoarding } from "./GuardedMachine.ts"

const MiB = 2 ** 20

const settings = (limitMebibytes: number, more: ReadonlyArray<string> = [], restart = "") =>
  ["[memory]", `worker_limit_bytes = ${limitMebibytes * MiB}`, ...more, "[restart]", restart, ""].join("\n")

const quoted = (words: ReadonlyArray<string>): string => words.map((word) => `'${word}'`).join(" ")

const howOften = (text: string, pattern: RegExp) => [...text.matchAll(new RegExp(pattern, "g"))].length

describe("a worker with a memory limit", () => {
  it.scopedLive("is restarted when it has grown above it, and says so in log and status", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const daemon = yield* startDaemon({
        home,
        settings: settings(200, [], "initial_backoff_ms = 60000"),
        worker: hoarding({ mebibytes: 20, leaksMebibytes: 400, everyMs: 100 })
      })
      const reason = /worker-limit: its only process holds [0-9.]+ MiB, .*limit.* 200 MiB/
      yield* daemon.logged(new RegExp(`Restarting the worker: ${reason.source}`))
      // It had not proven itself, so that it waits.
      const data = yield* daemon.status("it waits", ({ worker_status }) => worker_status === "restarting")
      assert.match(data.reason ?? "", reason)
      assert.strictEqual(data.consecutive_failures, 1)
      assert.strictEqual(data.worker_limit_bytes, 200 * MiB)
    })
  )

  it.scopedLive(
    "is restarted for the memory of an orphan that has left its tree, and the orphan is killed with it",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const orphanFile = join(home, "orphan")
        const orphan = `echo $$ >"${orphanFile}" && exec ${quoted(hoarding({ mebibytes: 250 }))}`
        fs.writeFileSync(join(home, "orphan.sh"), orphan)
        // Only the first one loses a child: in another session, with parents that are gone.
        const line = `[ -e "${orphanFile}" ] || (setsid sh "${join(home, "orphan.sh")}" &); exec sleep 1000000`
        const daemon = yield* startDaemon({
          home,
          settings: settings(200, [], "success_threshold_ms = 1"),
          worker: ["/bin/sh", "-c", line]
        })
        yield* daemon.logged(/Restarting the worker: worker-limit: its 2 processes hold /)
        const data = yield* daemon.status(
          "the next one runs, alone",
          ({ total_restarts, worker_processes, worker_status }) =>
            worker_status === "running" && total_restarts === 1 && worker_processes === 1
        )
        assert.strictEqual(data.consecutive_failures, 0)
        assert.isBelow(data.worker_memory_bytes ?? Number.POSITIVE_INFINITY, 200 * MiB)
        assert.isBelow(data.worker_peak_memory_bytes ?? Number.POSITIVE_INFINITY, 200 * MiB)
        assert.isFalse(isAlive(Number(fs.readFileSync(orphanFile, "utf8"))))
      })
  )

  it.scopedLive("keeps running when its processes share their memory", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      // What a process has before it forks is shared until one of them writes to it.
      const line = `held=$(head -c ${40 * MiB} /dev/zero | tr '\\0' x)
        for each in 1 2 3 4 5 6 7; do (sleep 1000000; echo "\${#held}") & done
        wait`
      const daemon = yield* startDaemon({
        home,
        settings: settings(200),
        worker: ["/bin/bash", "-c", line]
      })
      const told =
        /Not above memory\.worker_limit_bytes: its [0-9]+ processes hold [0-9.]+ MiB with shared pages counted for each process, but [0-9.]+ MiB/
      yield* daemon.logged(told)
      // The leader, seven shells, and what they wait for.
      const data = yield* daemon.status("all are counted", ({ worker_processes }) => worker_processes === 15)
      assert.isAbove(data.worker_memory_bytes ?? 0, 7 * 40 * MiB)
      assert.deepInclude(data, { worker_status: "running", total_restarts: 0 })
      assert.notInclude(daemon.stderr(), "restarted")
      const { stdout } = yield* command({ home, args: ["status"] })
      assert.match(stdout, /^Worker memory: {2}[0-9.]+ MiB in 15 processes.*; limit 200 MiB$/m)
    })
  )

  it.scopedLive("is only reported while memory.dry_run is on, and restarted once it is off", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const daemon = yield* startDaemon({
        home,
        settings: settings(100, ["dry_run = true"]),
        worker: hoarding({ mebibytes: 200 })
      })
      const would =
        /Above memory\.worker_limit_bytes: .* The daemon does not restart it because memory\.dry_run is on/
      yield* daemon.logged(would)
      const before = yield* daemon.status("it is known", ({ worker_processes }) => worker_processes === 1)
      assert.deepInclude(before, { worker_status: "running", total_restarts: 0 })

      fs.writeFileSync(join(home, "daemon.toml"), settings(100))
      const reloaded = yield* command({ home, args: ["reload"] })
      assert.strictEqual(reloaded.code, 0, reloaded.stderr)
      yield* daemon.logged(/Restarting the worker: worker-limit: /)
      assert.strictEqual(howOften(daemon.stderr(), would), 1)
      yield* eventually("the worker is gone", () => !isAlive(before.worker_pid ?? 0))
    })
  )
})
