import * as fs from "node:fs"
import { createConnection, type Socket } from "node:net"
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
import { longBackoff, longGrace, settings } from "../tree/GrownTree.ts"

/**
 * The defects of the original daemon, by their numbers in its examination, each as its user met it. Those of the memory
 * guard (D21 to D25) and of the stall detection (D30) belong to parts that this version does not have.
 */
const sleeps = [fixture("sleeps.sh")]
const crashes = [fixture("ends.sh"), "0", "1"]

const running = (data: { readonly worker_status: string }): boolean => data.worker_status === "running"

/** The worker runs, and nothing of its home besides. */
const oneWorker = (home: string) =>
  eventually(
    "exactly one worker",
    Effect.sync(() => (workersOf(home).length === 1 ? workersOf(home)[0] : undefined))
  )

describe("what the original got wrong", () => {
  it.scopedLive("D1: restart-worker and stop-worker hung for ever and did nothing", () =>
    Effect.gen(function* () {
      const { home, ...daemon } = yield* startDaemon({ worker: sleeps })
      const first = yield* daemon.status("it runs", running)
      assert.strictEqual((yield* daemon.ask({ type: "RestartWorker" })).message, "Worker restart initiated")
      yield* daemon.status("another runs", (data) => running(data) && data.worker_pid !== first.worker_pid)
      assert.isTrue((yield* daemon.ask({ type: "StopWorker" })).success)
      yield* daemon.status("it is stopped", (data) => data.worker_status === "stopped")
      assert.deepStrictEqual(workersOf(home), [])
    })
  )

  it.scopedLive("D2: a command that came before the end started a worker after it", () =>
    Effect.gen(function* () {
      const { home, ...daemon } = yield* startDaemon({ worker: sleeps })
      yield* daemon.status("it runs", running)
      yield* daemon.ask({ type: "RestartWorker" })
      yield* daemon.ask({ type: "Shutdown" })
      assert.strictEqual((yield* daemon.ended).code, 0)
      assert.deepStrictEqual(workersOf(home), [])
    })
  )

  it.scopedLive("D3: a stop during a backoff waited for its end, and started a worker first", () =>
    Effect.gen(function* () {
      const { home, ...daemon } = yield* startDaemon({ worker: crashes, settings: longBackoff })
      yield* daemon.status("a long backoff", (data) => data.worker_status === "restarting")
      daemon.child.kill("SIGTERM")
      assert.strictEqual((yield* daemon.ended).code, 0)
      assert.strictEqual(daemon.stderr().match(/Worker started/g)?.length, 1)
      assert.deepStrictEqual(workersOf(home), [])
    })
  )

  it.scopedLive("D4: status said running, with the pid of the dead, during a backoff", () =>
    Effect.gen(function* () {
      const daemon = yield* startDaemon({ worker: crashes, settings: longBackoff })
      const data = yield* daemon.status("a backoff", (now) => now.next_start_at_ms !== undefined)
      assert.strictEqual(data.worker_status, "restarting")
      assert.isNull(data.worker_pid)
      assert.strictEqual(data.uptime_seconds, 0)
      assert.strictEqual(data.consecutive_failures, 1)
      assert.isAbove(data.next_start_at_ms ?? 0, Date.now())
    })
  )

  it.scopedLive("D5: initial_backoff_ms was ignored", () =>
    Effect.gen(function* () {
      const daemon = yield* startDaemon({
        worker: crashes,
        settings: settings({ initial_backoff_ms: 270_000 })
      })
      yield* daemon.logged(/the next start is in 4 min 30 s/)
    })
  )

  it.scopedLive("D6, D7: a worker that could not be started was given up, or took the daemon along", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const program = join(home, "worker.sh")
      const daemon = yield* startDaemon({
        home,
        worker: [program],
        settings: settings({ initial_backoff_ms: 50, max_backoff_ms: 200, max_consecutive_restarts: 1000 })
      })
      const data = yield* daemon.status("it is tried again", (now) => now.consecutive_failures >= 2)
      assert.include(data.last_exit ?? "", `${program} does not exist`)
      fs.copyFileSync(fixture("sleeps.sh"), program)
      yield* daemon.status("it runs", running)
    })
  )

  it.scopedLive("D8: a worker blocked for ever after 64 KiB of output, and its output was lost", () =>
    Effect.gen(function* () {
      const { home, ...daemon } = yield* startDaemon({
        worker: ["/bin/sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x | fold -w 100; echo; echo the end"]
      })
      yield* daemon.status("it has finished", (data) => data.worker_status === "stopped")
      const log = fs.readFileSync(join(home, "logs/default/worker.log"), "utf8")
      assert.match(log, /out the end\n$/)
      assert.isAbove(log.length, 1_000_000)
    })
  )

  it.scopedLive("D9: after a kill -9 of the daemon a second worker ran beside the first", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const first = yield* startDaemon({ home, worker: sleeps })
      const orphan = yield* oneWorker(home)
      first.child.kill("SIGKILL")
      yield* first.ended
      assert.isTrue(isAlive(orphan))
      const second = yield* startDaemon({ home, worker: sleeps })
      yield* second.status("it runs", running)
      assert.isFalse(isAlive(orphan))
      yield* oneWorker(home)
    })
  )

  it.scopedLive("D10: with nobody reading standard error the daemon died with the next crash", () =>
    Effect.gen(function* () {
      const daemon = yield* startDaemon({ worker: sleeps, settings: settings({ initial_backoff_ms: 0 }) })
      const first = yield* daemon.status("it runs", running)
      daemon.child.stderr?.destroy()
      process.kill(first.worker_pid ?? 0, "SIGKILL")
      yield* daemon.status("another runs", (data) => running(data) && data.worker_pid !== first.worker_pid)
      daemon.child.kill("SIGTERM")
      assert.strictEqual((yield* daemon.ended).code, 0)
    })
  )

  it.scopedLive("D11: after a clean exit nothing could start the worker again", () =>
    Effect.gen(function* () {
      const { home, ...daemon } = yield* startDaemon({ worker: [fixture("ends.sh"), "0", "0"] })
      const data = yield* daemon.status("its work is finished", (now) => now.worker_status === "stopped")
      assert.match(data.reason ?? "", /its work is finished/)
      yield* command({ home, args: ["start-worker"] })
      yield* eventually(
        "it has run twice",
        Effect.sync(() => daemon.stdout().match(/up \d/g)?.length === 2 || undefined)
      )
    })
  )

  it.scopedLive(
    "D12: failed un-failed itself, counted a restart that was none, and no person could act",
    () =>
      Effect.gen(function* () {
        const { home, ...daemon } = yield* startDaemon({
          worker: crashes,
          settings: settings({ initial_backoff_ms: 0, max_consecutive_restarts: 3 })
        })
        const data = yield* daemon.status("failed", (now) => now.worker_status === "failed")
        assert.strictEqual(data.total_restarts, 2)
        assert.strictEqual(data.consecutive_failures, 3)
        const again = yield* command({ home, args: ["start-worker", "--no-wait"] })
        assert.strictEqual(again.stdout, "Worker is starting\n")
      })
  )

  it.scopedLive("D13: simultaneous starts left several daemons", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const starts = yield* Effect.all(
        Array.from({ length: 10 }, () => run({ home, args: ["start", "--", ...sleeps] })),
        { concurrency: "unbounded" }
      )
      yield* eventually(
        "nine have given up",
        Effect.sync(() => starts.filter(({ child }) => child.exitCode === 1).length === 9 || undefined)
      )
      yield* oneWorker(home)
    })
  )

  it.scopedLive(
    "D14: any living pid in the PID file blocked the start, and a deleted socket never came back",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        fs.writeFileSync(join(home, "autopilotd.pid"), "1")
        const daemon = yield* startDaemon({ home, worker: sleeps })
        assert.strictEqual(fs.readFileSync(join(home, "autopilotd.pid"), "utf8"), String(daemon.pid))
        fs.rmSync(join(home, "autopilotd.sock"))
        yield* daemon.status("it answers again", running)
      })
  )

  it.scopedLive("D15: stop returned before the daemon was gone, so that the next start failed", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* startDaemon({ home, worker: sleeps })
      assert.strictEqual((yield* command({ home, args: ["stop"] })).code, 0)
      yield* startDaemon({ home, worker: sleeps })
    })
  )

  it.scopedLive("D16: the children of a crashed worker stayed", () =>
    Effect.gen(function* () {
      const { home, ...daemon } = yield* startDaemon({
        worker: ["/bin/sh", "-c", "sleep 1000000 & setsid sleep 1000000 & sleep 0.1; exit 1"],
        settings: longBackoff
      })
      yield* daemon.status("a backoff", (data) => data.worker_status === "restarting")
      assert.deepStrictEqual(workersOf(home), [])
    })
  )

  it.scopedLive(
    "D17, D18: the documented settings were rejected, and a model in the file was overwritten",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const config = join(home, "example.toml")
        const example = `
[worker_command]
type = "Binary"
path = "${fixture("sleeps.sh")}"

working_dir = "${home}"
project = "openagents"
model = "opus"
max_budget = 5.0
max_turns = 7

[memory]
poll_interval_ms = 5000
`
        fs.writeFileSync(config, example)
        yield* run({ home, args: ["start", "--config", config] })
        const data = yield* eventually(
          "it runs",
          Effect.map(ask(home, { type: "Status" }), (answer) =>
            answer.data?.worker_status === "running" ? answer.data : undefined
          )
        )
        const argv = fs.readFileSync(`/proc/${data.worker_pid}/environ`, "utf8")
        assert.include(argv, ":openagents:")
        const status = yield* command({ home, args: ["status"] })
        assert.include(
          status.stdout,
          "run --full-auto --model opus --max-budget 5 --max-turns 7 --project openagents"
        )
      })
  )

  it.scopedLive("D19: impossible settings were taken, and a file that was not there was no error", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.writeFileSync(join(home, "daemon.toml"), "[memory]\npoll_interval_ms = 0\n")
      const refused = yield* command({ home, args: ["start", "--", "true"] })
      assert.strictEqual(refused.code, 1)
      assert.match(refused.stderr, /daemon\.toml:2: memory\.poll_interval_ms /)
      const missing = yield* command({ home, args: ["start", "--config", "missing.toml", "--", "true"] })
      assert.strictEqual(missing.code, 1)
      assert.include(missing.stderr, "missing.toml")
    })
  )

  it.scopedLive("D20: options were refused after the command, and the env file was not read", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.writeFileSync(join(home, "env"), "TOKEN=from-the-file\n", { mode: 0o600 })
      const daemon = yield* startDaemon({
        home,
        args: ["--workdir", home],
        worker: ["/bin/sh", "-c", 'echo "$PWD $TOKEN"; exec sleep 1000000']
      })
      yield* eventually(
        "its words",
        Effect.sync(() => daemon.stdout().includes(`${home} from-the-file`) || undefined)
      )
    })
  )

  it.scopedLive("D26: the worker inherited the daemon's raised limit of open files", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const out = join(home, "told")
      const words = [
        "ulimit -S -n 333; exec",
        join(import.meta.dirname, "../../../bin/autopilotd"),
        "start --"
      ]
      yield* run({
        home,
        command: "/bin/sh",
        args: ["-c", `${words.join(" ")} ${fixture("tells.sh")} ${out}`]
      })
      const told = yield* eventually(
        "its words",
        Effect.sync(() => (fs.existsSync(out) ? fs.readFileSync(out, "utf8") : undefined))
      )
      assert.match(told, /^soft-open-files 333$/m)
    })
  )

  it.scopedLive("D27: silent connections used up the daemon, which then answered nobody", () =>
    Effect.gen(function* () {
      const { home, ...daemon } = yield* startDaemon({ worker: sleeps })
      const silent = yield* Effect.acquireRelease(
        Effect.sync(
          (): ReadonlyArray<Socket> =>
            Array.from({ length: 300 }, () =>
              createConnection({ path: join(home, "autopilotd.sock") }).on("error", () => {})
            )
        ),
        (sockets) => Effect.sync(() => sockets.forEach((socket) => socket.destroy()))
      )
      assert.lengthOf(silent, 300)
      yield* daemon.status("it answers", running)
      assert.strictEqual((yield* command({ home, args: ["status"] })).code, 0)
      assert.isBelow(daemon.stderr().split("\n").length, 20)
    })
  )

  it.scopedLive("D28: the first status was empty", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* run({ home, args: ["start", "--", ...sleeps] })
      const { data } = yield* eventually(
        "the first answer",
        ask(home, { type: "Status" }).pipe(Effect.orElseSucceed(() => undefined))
      )
      assert.notStrictEqual(data?.worker_status, "")
      assert.isAbove(data?.memory_total_bytes ?? 0, 0)
      assert.isAbove(data?.memory_available_bytes ?? 0, 0)
    })
  )

  it.scopedLive("D29: failures were counted on while the worker was well", () =>
    Effect.gen(function* () {
      const daemon = yield* startDaemon({
        worker: sleeps,
        settings: settings({ initial_backoff_ms: 0, success_threshold_ms: 1500 })
      })
      const first = yield* daemon.status("it runs", running)
      process.kill(first.worker_pid ?? 0, "SIGKILL")
      const second = yield* daemon.status(
        "a failure",
        (data) => running(data) && data.consecutive_failures === 1
      )
      const later = yield* daemon.status("it is forgotten", (data) => data.consecutive_failures === 0)
      assert.strictEqual(later.worker_pid, second.worker_pid)
    })
  )

  it.scopedLive("D31: nothing said why a worker had ended, and a second signal hastened nothing", () =>
    Effect.gen(function* () {
      const daemon = yield* startDaemon({ worker: [fixture("ignores-term.sh")], settings: longGrace })
      const first = yield* daemon.status("it runs", running)
      process.kill(first.worker_pid ?? 0, "SIGSEGV")
      yield* daemon.logged(
        /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} WARN {2}default: Worker exited after .*: killed by SIGSEGV$/m
      )
      const second = yield* daemon.status(
        "another runs",
        (data) => running(data) && data.total_restarts === 1
      )
      assert.match(second.last_exit ?? "", /^killed by SIGSEGV after /)
      yield* eventually(
        "it is deaf",
        Effect.sync(() => daemon.stdout().match(/up \d/g)?.length === 2 || undefined)
      )
      daemon.child.kill("SIGTERM")
      yield* daemon.status("it is stopping", (data) => data.worker_status === "stopping")
      daemon.child.kill("SIGINT")
      assert.deepStrictEqual(yield* daemon.ended, { code: 0, signal: null })
      assert.isFalse(isAlive(second.worker_pid ?? 0))
    })
  )

  it.scopedLive("D32: a second project needed a pid file and a socket of its own in its settings", () =>
    Effect.gen(function* () {
      const shop = yield* startDaemon({ worker: sleeps, args: ["--project", "shop"] })
      const site = yield* startDaemon({ worker: sleeps, args: ["--project", "site"] })
      yield* shop.status("one runs", running)
      yield* site.status("the other runs", running)
      yield* oneWorker(shop.home)
      yield* oneWorker(site.home)
    })
  )
})
