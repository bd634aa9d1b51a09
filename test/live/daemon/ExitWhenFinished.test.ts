import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  command,
  eventually,
  fixture,
  isAlive,
  run,
  startDaemon,
  temporaryHome,
  workersOf
} from "../TestDaemon.ts"
import { agent, init, result } from "../worker/SayingAgent.ts"

const soon = "restart = { initial_backoff_ms = 10, max_consecutive_restarts = 2 }\n"

const asToml = (argv: ReadonlyArray<string>): string => `{ type = "Command", argv = ${JSON.stringify(argv)} }`

/** Runs a batch to its end. Its termination log is `end.txt` in the home. */
const batch = Effect.fnUntraced(function* (options: {
  readonly home?: string
  readonly settings: string
  readonly args?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
}) {
  const home = options.home ?? (yield* temporaryHome)
  fs.writeFileSync(join(home, "daemon.toml"), options.settings)
  const args = ["start", "--exit-when-finished", "--termination-log", "end.txt", ...(options.args ?? [])]
  const started = yield* run({ home, args, ...(options.env === undefined ? {} : { env: options.env }) })
  const { code } = yield* started.ended
  assert.deepStrictEqual(workersOf(home), [])
  return { home, code, said: started.stderr(), log: fs.readFileSync(join(home, "end.txt"), "utf8") }
})

const oneWorker = (argv: ReadonlyArray<string>, more = soon) => `worker_command = ${asToml(argv)}\n${more}`

describe("start --exit-when-finished", () => {
  it.scopedLive("exits with 0 when the work is finished; with --keep-state it does not do it again", () =>
    Effect.gen(function* () {
      const settings = oneWorker(["sh", "-c", "echo run >>runs"], "")
      const first = yield* batch({ settings })
      assert.strictEqual(first.code, 0, first.said)
      assert.match(first.said, /Shutting down: all work is finished\n/)
      assert.match(
        first.log,
        /^autopilotd has ended with exit code 0: all work is finished\.\nThe worker of default is finished: exit code 0 after .*\.\n$/
      )
      const again = yield* batch({ home: first.home, settings, args: ["--keep-state"] })
      assert.strictEqual(again.code, 0, again.said)
      assert.strictEqual(fs.readFileSync(join(first.home, "runs"), "utf8"), "run\n")
    })
  )

  const ends: ReadonlyArray<readonly [what: string, settings: string, code: number, log: RegExp]> = [
    [
      "a worker that keeps failing",
      oneWorker(["sh", "-c", "echo boom; exit 3"]),
      1,
      /is failed: 2 failures in a row.* boom\./
    ],
    [
      "a usage limit that is not waited for",
      oneWorker(
        agent(1, init, result({ result: "Claude AI usage limit reached|1", api_error_status: 429 })),
        'restart.on.usage_limit = "stop"\n'
      ),
      75,
      /a usage limit or an API that is down has stopped default\.\n.* is failed: reached its usage limit/
    ],
    [
      "an agent without a login",
      oneWorker(
        agent(1, init, result({ result: "Invalid API key · Please run /login", api_error_status: 401 }))
      ),
      77,
      /a login is needed by default\.\n.* is failed: not logged in/
    ],
    [
      "a program that does not exist",
      oneWorker(["/nonexistent/agent"]),
      78,
      /is failed: .*\/nonexistent\/agent does not exist/
    ],
    ["settings with a mistake", "memory = 3\n", 78, /^autopilotd has not started: .*memory/s],
    ["settings without a worker", "", 78, /^autopilotd has not started: There is no worker to start/]
  ]
  for (const [what, settings, expected, log] of ends) {
    it.scopedLive(`exits with ${expected} for ${what}, and says so in the termination log`, () =>
      Effect.gen(function* () {
        const ended = yield* batch({ settings })
        assert.strictEqual(ended.code, expected, ended.said)
        assert.match(ended.log, log)
      })
    )
  }

  it.scopedLive("waits for all projects, one that a reload adds too; the worst exit code counts", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const settings = `
        working_dir = "${home}"
        ${soon}
        [projects.docs]
        worker_command = ${asToml(["true"])}
        [projects.shop]
        worker_command = ${asToml(["sh", "-c", "until [ -e done ]; do sleep 0.1; done"])}
        [projects.aside]
        autostart = false
        worker_command = ${asToml(["false"])}\n`
      const daemon = yield* startDaemon({ home, settings, args: ["--exit-when-finished"] })
      yield* daemon.logged(/docs: Worker stopped: its work is finished/)
      fs.appendFileSync(join(home, "daemon.toml"), `[projects.site]\nworker_command = ${asToml(["false"])}\n`)
      assert.strictEqual((yield* command({ home, args: ["reload"] })).code, 0)
      yield* daemon.logged(/site: Gave up after 2 failures/)
      assert.isTrue(isAlive(daemon.pid))
      fs.writeFileSync(join(home, "done"), "")
      assert.deepStrictEqual(yield* daemon.ended, { code: 1, signal: null })
      assert.include(daemon.stderr(), "Shutting down: all workers have ended; these have failed: site\n")
    })
  )

  it.scopedLive(
    "exits with 5 when a user has stopped the worker or the daemon, and with 143 after SIGTERM: the work is not finished",
    () =>
      Effect.gen(function* () {
        const daemon = () => startDaemon({ args: ["--exit-when-finished"], worker: [fixture("sleeps.sh")] })
        const first = yield* daemon()
        yield* first.status("it runs", ({ worker_status }) => worker_status === "running")
        assert.strictEqual((yield* command({ home: first.home, args: ["stop-worker", "--no-wait"] })).code, 0)
        assert.deepStrictEqual(yield* first.ended, { code: 5, signal: null })
        const second = yield* daemon()
        const { worker_pid } = yield* second.status(
          "it runs",
          ({ worker_status }) => worker_status === "running"
        )
        second.child.kill("SIGTERM")
        assert.deepStrictEqual(yield* second.ended, { code: 143, signal: null })
        assert.isFalse(isAlive(worker_pid ?? 0))
        assert.deepStrictEqual(workersOf(second.home), [])
        const third = yield* daemon()
        yield* third.status("it runs", ({ worker_status }) => worker_status === "running")
        assert.strictEqual((yield* command({ home: third.home, args: ["stop"] })).code, 0)
        assert.deepStrictEqual(yield* third.ended, { code: 5, signal: null })
      })
  )
})

describe("the termination log", () => {
  it.scopedLive(
    "has each failure while the daemon runs, and at its end what stopped it; no secret of the env file",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const file = join(home, "end.txt")
        fs.writeFileSync(join(home, "env"), "TOKEN=hunter2hunter2\n", { mode: 0o600 })
        fs.writeFileSync(file, "of an earlier daemon")
        const script =
          'if [ -e failed ]; then exec sleep 1000; fi; touch failed; echo "token $TOKEN is wrong"; exit 3'
        const daemon = yield* startDaemon({
          home,
          settings: `working_dir = "${home}"\n${oneWorker(["sh", "-c", script])}`,
          args: ["--termination-log", file]
        })
        const text = yield* eventually("the failure is in the file", () => {
          const text = fs.readFileSync(file, "utf8")
          return text.includes("exit code 3") ? text : undefined
        })
        assert.match(text, /^At 20.*Z, after a failure:\nThe worker of default is .*exit code 3.*\n$/)
        yield* daemon.status("it runs again", ({ total_restarts }) => total_restarts === 1)
        daemon.child.kill("SIGTERM")
        yield* daemon.ended
        const last = fs.readFileSync(file, "utf8")
        assert.match(
          last,
          /^autopilotd has ended with exit code 0: SIGTERM\.\nThe worker of default is running; its last run: exit code 3 .*token \*+ is wrong\.\n$/
        )
        assert.notInclude(text + last, "hunter2")
      })
  )

  it.scopedLive("that cannot be written is a warning, and the worker works", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      execFileSync("mkfifo", [join(home, "fifo")])
      const paths = {
        fifo: /was not written: ENXIO/,
        "nowhere/end.txt": /was not written: there is no such folder/
      }
      for (const [path, reason] of Object.entries(paths)) {
        const ended = yield* Effect.scoped(
          Effect.gen(function* () {
            const args = ["start", "--exit-when-finished", "--termination-log", path, "--", "true"]
            const started = yield* run({ home, args })
            return { ...(yield* started.ended), said: started.stderr() }
          })
        )
        assert.strictEqual(ended.code, 0, ended.said)
        assert.match(ended.said, reason)
        assert.strictEqual(ended.said.match(/was not written/g)?.length, 1, "once")
      }
    })
  )
})
