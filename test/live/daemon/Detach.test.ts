import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  command,
  eventually,
  fixture,
  isAlive,
  launcher,
  processesWith,
  temporaryHome
} from "../TestDaemon.ts"
import {
  assertEndsByCommand,
  assertSupervised,
  byShell,
  daemonLog,
  soonBack,
  whenRunning
} from "./OtherStarts.ts"

const worker = fixture("sleeps.sh")

/** Fields of stat after the name: state, parent, group, session, terminal. */
const familyOf = (pid: number) => {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1")
  const [, , group, session, terminal] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number)
  return { group, session, terminal }
}

const detach = (home: string, args: ReadonlyArray<string> = []) =>
  command({ home, args: ["start", "--detach", ...args, "--", worker] })

const startedPid = (stdout: string): number => Number(/pid (\d+)/.exec(stdout)?.[1])

describe("start --detach", () => {
  it.scopedLive(
    "returns once the worker runs, and prints its state, its pids, the log and what to do next",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const told = yield* detach(home)
        assert.deepStrictEqual([told.code, told.stderr], [0, ""])
        const pid = startedPid(told.stdout)
        const workerPid = /running, pid (\d+)/.exec(told.stdout)?.[1]
        assert.strictEqual(
          told.stdout,
          `autopilotd started in the background, pid ${pid}.\n` +
            `The worker of default is running, pid ${workerPid}.\n` +
            `Log: ${home}/logs/autopilotd.log\n` +
            "Output: autopilotd logs -f. Status: autopilotd status. Stop: autopilotd stop.\n"
        )
        // It answers already: no waiting here.
        const status = yield* command({ home, args: ["status", "--json"] })
        const { data } = JSON.parse(status.stdout)
        assert.deepStrictEqual([data.daemon_pid, String(data.worker_pid)], [pid, workerPid])
        yield* assertSupervised(home)
        yield* assertEndsByCommand(home)
        assert.isFalse(isAlive(pid))
        // The log has what it would print in the foreground.
        assert.match(daemonLog(home), new RegExp(`INFO {2}autopilotd \\S+ started, pid ${pid}`))
        assert.match(daemonLog(home), /Worker started, pid \d+: .*sleeps\.sh/)
      })
  )

  it.scopedLive("leaves a daemon in a session of its own without descriptors of the caller", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const pid = startedPid((yield* detach(home)).stdout)
      assert.deepStrictEqual(familyOf(pid), { group: pid, session: pid, terminal: 0 })
      const descriptors = ["0", "1", "2"].map((n) => fs.readlinkSync(`/proc/${pid}/fd/${n}`))
      assert.deepStrictEqual(descriptors.slice(0, 2), ["/dev/null", "/dev/null"])
      assert.match(descriptors[2] ?? "", /^socket:/)
    })
  )

  it.scopedLive(
    "gives its files their modes, and the worker the caller's umask, whatever that umask is",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const start = ["start", "--detach", "--", "sh", "-c", 'umask; exec "$0"', worker]
        const told = yield* command({
          home,
          command: "sh",
          args: ["-c", 'umask 0277; exec "$@"', "sh", launcher, ...start]
        })
        assert.deepStrictEqual([told.code, told.stderr], [0, ""])
        yield* eventually(
          "the worker has printed its umask",
          Effect.map(
            command({ home, args: ["logs"] }),
            ({ stdout }) => /out 0277$/m.test(stdout) || undefined
          )
        )
        for (const name of fs.readdirSync(home, { recursive: true, encoding: "utf8" })) {
          const stat = fs.lstatSync(join(home, name))
          const mode = stat.mode & 0o777
          assert.strictEqual(mode.toString(8), stat.isDirectory() ? "700" : "600", name)
        }
        yield* assertEndsByCommand(home)
      })
  )

  it.scopedLive("prints one line of JSON under --json", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const told = yield* detach(home, ["--json"])
      const { data, ...answer } = JSON.parse(told.stdout)
      // Beside `data` the same stands where it stood before answers had one shape.
      assert.deepStrictEqual(answer, { success: true, message: "Daemon started", ...data })
      const { pid, workers, ...facts } = data
      assert.deepStrictEqual(facts, { log: join(home, "logs/autopilotd.log") })
      const [{ worker_pid: workerPid, ...row }] = workers
      assert.deepStrictEqual(row, { name: "default", worker_status: "running" })
      assert.isTrue(isAlive(workerPid))
      assert.strictEqual(fs.readFileSync(join(home, "autopilotd.pid"), "utf8"), String(pid))
    })
  )

  it.scopedLive("survives the closing of its terminal", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      soonBack(home)
      const terminal = yield* byShell({
        home,
        script: `LAUNCHER="$1" WORKER="$4" exec script -qfec '"$LAUNCHER" start --detach -- "$WORKER"; sleep 1000000' /dev/null`,
        worker: [worker]
      })
      terminal.stdout.resume()
      const { daemon_pid: pid = 0 } = yield* whenRunning(home)
      terminal.kill("SIGKILL")
      yield* eventually("the terminal is gone", () => !isAlive(terminal.pid ?? 0))
      yield* assertSupervised(home)
      assert.strictEqual((yield* whenRunning(home)).daemon_pid, pid)
      assert.notInclude(daemonLog(home), "terminal")
      yield* assertEndsByCommand(home)
    })
  )

  it.scopedLive("prints the daemon's own error once and exits with 1 when it cannot start", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.writeFileSync(join(home, "daemon.toml"), "[restart]\ninitial_backof_ms = 1\n")
      const settings = yield* detach(home)
      const foreground = yield* command({ home, args: ["start", "--", worker] })
      assert.include(settings.stderr, "initial_backoff_ms")
      assert.deepStrictEqual(settings, foreground)
      assert.deepStrictEqual([settings.code, settings.stdout], [1, ""])
      fs.rmSync(join(home, "daemon.toml"))

      const none = yield* command({ home, args: ["start", "--detach"] })
      assert.deepStrictEqual([none.code, none.stdout], [1, ""])
      assert.match(none.stderr, /^autopilotd: There is no worker to start: /)

      const json = yield* command({ home, args: ["start", "--detach", "--json"] })
      assert.deepStrictEqual([json.code, json.stderr], [1, ""])
      assert.match(JSON.parse(json.stdout).message, /^There is no worker to start: /)
      assert.deepStrictEqual(processesWith(`AUTOPILOT_HOME=${home}`), [])
    })
  )

  it.scopedLive(
    "fails when the worker does not start, with its project and the reason; a finished one is no failure",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const start = ["start", "--detach", "--project", "shop"]
        const told = yield* command({ home, args: [...start, "--", "nosuchprog"] })
        assert.deepStrictEqual([told.code, told.stdout], [1, ""])
        assert.match(
          told.stderr,
          /^autopilotd: The daemon runs, but not the worker of shop\.\nThe worker of shop is restarting: there is no program "nosuchprog" on .+\nWhy, and what to do: autopilotd why\. Stop: autopilotd stop\.\n$/
        )
        yield* command({ home, args: ["stop"] })
        // A program that rejects its arguments has run for a moment.
        const refused = yield* command({
          home,
          args: [...start, "--json", "--", "sh", "-c", "exec ls --nosuchoption"]
        })
        const answer = JSON.parse(refused.stdout)
        assert.deepStrictEqual([refused.code, refused.stderr, answer.success], [1, "", false])
        assert.include(answer.workers[0].reason, "exit code 2")
        yield* command({ home, args: ["stop"] })
        const done = yield* command({ home, args: [...start, "--", "true"] })
        assert.strictEqual(done.code, 0, done.stderr)
        assert.match(done.stdout, /\nThe worker of shop is finished: exit code 0 after [^\n]+\.\n/)
        yield* assertEndsByCommand(home)
      })
  )
})
