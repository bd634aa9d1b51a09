import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { command, startDaemon, temporaryHome } from "../TestDaemon.ts"
import { agent, init, result } from "./SayingAgent.ts"

const why = (home: string) => Effect.map(command({ home, args: ["why"] }), ({ stdout }) => stdout)

describe("the exit of a worker", () => {
  it.scopedLive("at its usage limit leads to a wait, which outlives the daemon", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const resetsAt = Math.floor(Date.now() / 1000) + 7200
      const limit = `Claude AI usage limit reached|${resetsAt}`
      const worker = agent(1, init, result({ result: limit, api_error_status: 429 }))
      const daemon = yield* startDaemon({ home, worker })
      const data = yield* daemon.status("it waits", ({ worker_status }) => worker_status === "waiting")
      assert.match(data.reason ?? "", /^reached its usage limit/)
      assert.strictEqual(data.next_start_at_ms, (resetsAt + 60) * 1000)
      assert.strictEqual(data.consecutive_failures, 0)
      assert.match(yield* why(home), /reached its usage limit/)
      process.kill(daemon.pid, "SIGKILL")
      yield* daemon.ended
      const next = yield* startDaemon({ home, args: ["--keep-state"], worker })
      const kept = yield* next.status("it still waits", ({ worker_status }) => worker_status === "waiting")
      assert.strictEqual(kept.next_start_at_ms, (resetsAt + 60) * 1000)
    })
  )

  it.scopedLive("without a valid key needs the user, says what to do, and follows the user's login", () =>
    Effect.gen(function* () {
      const [home, login] = yield* Effect.all([temporaryHome, temporaryHome])
      const refused = result({ result: "Invalid API key · Please run /login", api_error_status: 401 })
      const [, , script = ""] = agent(1, init, refused)
      const claude = join(login, "claude")
      fs.writeFileSync(claude, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
      const daemon = yield* startDaemon({ home, worker: [claude], env: { CLAUDE_CONFIG_DIR: login } })
      const data = yield* daemon.status(
        "it needs somebody",
        ({ worker_status }) => worker_status === "failed"
      )
      assert.match(
        data.reason ?? "",
        /Log in as the user of the daemon, or put a valid key into the env file/
      )
      assert.strictEqual(data.total_restarts, 0)
      yield* daemon.logged(/The worker is down and needs you/)
      fs.writeFileSync(join(login, ".credentials.json"), "{}")
      yield* daemon.logged(/Starting the worker once: its login has changed \(.*\.credentials\.json\)/)
      const again = yield* daemon.status(
        "it needs somebody again",
        (status) => status.worker_status === "failed" && status.total_restarts === 1
      )
      assert.strictEqual(again.reason, data.reason)
    })
  )

  it.scopedLive(
    "of a finished agent, whose background tasks end first at its stop, is that of finished work",
    () =>
      Effect.gen(function* () {
        const [home, folder] = yield* Effect.all([temporaryHome, temporaryHome])
        const line = (object: object) => `echo '${JSON.stringify({ session_id: "s", ...object })}'`
        const claude = join(folder, "claude")
        const script = [
          `trap "${line(init).replaceAll('"', '\\"')}; exit 143" TERM`,
          line(init),
          line(result({ is_error: false, result: "All done." })),
          "sleep 1000 & wait"
        ]
        fs.writeFileSync(claude, `#!/bin/sh\n${script.join("\n")}\n`, { mode: 0o755 })
        const args = ["-p", "work", "--output-format", "stream-json", "--verbose"]
        const daemon = yield* startDaemon({
          home,
          settings: "[agent]\nlinger_ms = 0\n",
          worker: [claude, ...args]
        })
        const data = yield* daemon.status("it has ended", ({ worker_status }) =>
          ["stopped", "failed", "restarting"].includes(worker_status)
        )
        assert.match(data.reason ?? "", /^its work is finished/)
        assert.strictEqual(data.worker_status, "stopped")
      })
  )

  it.scopedLive("by an error is reported with its last output, in status, log and history", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const daemon = yield* startDaemon({
        home,
        settings: "[restart]\ninitial_backoff_ms = 60000\n",
        worker: ["sh", "-c", "echo working; echo 'Error: boom' >&2; exit 3"]
      })
      const data = yield* daemon.status("it waits", ({ worker_status }) => worker_status === "restarting")
      assert.match(data.last_exit ?? "", /^exit code 3 after .*; last output: Error: boom$/)
      yield* daemon.logged(/last output: Error: boom/)
      yield* command({ home, args: ["stop"] })
      const history = fs.readFileSync(join(home, "history.jsonl"), "utf8")
      const kinds = history
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
      const [ended] = kinds.filter(({ _tag }) => _tag === "WorkerEnded")
      assert.deepInclude(ended.verdict, { kind: "crash", tail: ["working", "Error: boom"] })
    })
  )
})
