import * as fs from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { noSilentDisk, unlessMissing } from "../../fixtures/Missing.ts"
import { command, fixture, killForSure, launcher, startDaemon, temporaryHome } from "../TestDaemon.ts"
import { inState, pidOf, pidsOf, project, rowOf } from "../worker/SeveralProjects.ts"

const server = resolve(import.meta.dirname, "../../fixtures/machine/silent-disk.mjs")

/** Nobody else sees the disk, and it is gone with its server, which nobody but the test ends. */
const mounting = [
  `"${process.execPath}" "${server}" "$0" >"$0.log" 2>&1 & echo $! >"$0.pid"`,
  'until [ -e "$0/note" ] || ! kill -0 $!; do sleep 0.05; done',
  'exec "$@"'
].join("\n")

const sleeps = [fixture("sleeps.sh")]

/** A home with the folder of the disk, whose program is killed at the end. */
const homeWithDisk = Effect.gen(function* () {
  const home = yield* temporaryHome
  const disk = join(home, "disk")
  fs.mkdirSync(disk)
  const pidFile = `${disk}.pid`
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => killForSure(fs.existsSync(pidFile) ? Number(fs.readFileSync(pidFile, "utf8")) : 0))
  )
  return { disk, home }
})

describe("a disk that stops answering", () => {
  unlessMissing(noSilentDisk)("stops the projects that need it, with that reason, and nothing else", () =>
    Effect.gen(function* () {
      const { disk, home } = yield* homeWithDisk
      const settings = [
        "restart = { initial_backoff_ms = 50 }\n",
        project("fine", sleeps),
        project("folder", sleeps, `working_dir = "${disk}"`),
        project("keys", sleeps, `env_file = "${disk}/env"`),
        project(
          "watched",
          sleeps,
          `restart = { stall_timeout_ms = 600000, stall_files = ["${disk}/note", "${disk}"] }`
        )
      ].join("")
      const daemon = yield* startDaemon({
        home,
        settings,
        entrance: ["unshare", "-m", "sh", "-c", mounting, disk]
      })
      const [fine, folder, keys, watched] = yield* pidsOf(home, "fine", "folder", "keys", "watched")
      assert.isFalse(fs.existsSync(`/proc/${daemon.pid}/root${disk}/silence`))
      for (const pid of [folder, keys]) process.kill(pid ?? 0, "SIGKILL")
      for (const name of ["folder", "keys"]) {
        const { reason } = yield* rowOf(home, name, "tells why", (row) =>
          /did not answer/.test(row.reason ?? "")
        )
        assert.match(reason ?? "", /the disk of .*\/disk(\/env)? did not answer within 10s/)
      }
      assert.strictEqual(yield* pidOf(home, "fine"), fine)
      process.kill(fine ?? 0, "SIGKILL")
      yield* rowOf(
        home,
        "fine",
        "is restarted",
        ({ worker_pid }) => worker_pid !== null && worker_pid !== fine
      )
      assert.strictEqual(yield* pidOf(home, "watched"), watched)
      fs.appendFileSync(join(home, "daemon.toml"), project("new", sleeps, `working_dir = "${home}"`))
      const reload = yield* command({ home, args: ["reload"] })
      assert.strictEqual(reload.code, 0, reload.stderr)
      yield* pidOf(home, "new")
      const doctor = yield* command({
        home,
        command: "nsenter",
        args: [`--mount=/proc/${daemon.pid}/ns/mnt`, launcher, "doctor"]
      })
      assert.match(doctor.stdout, /did not answer within 10s/)
      const stopWorker = yield* command({ home, args: ["stop-worker", "--project", "folder"] })
      assert.strictEqual(stopWorker.code, 0, stopWorker.stderr)
      yield* inState(home, "folder", "stopped")
      const stop = yield* command({ home, args: ["stop"] })
      assert.strictEqual(stop.stdout, "Daemon stopped\n", stop.stderr)
      // Node would wait for its threads, and for the disk with them.
      assert.deepStrictEqual(yield* daemon.ended, { code: null, signal: "SIGTERM" })
    })
  )

  unlessMissing(noSilentDisk)("costs the daemon its termination log, with one warning, and no restart", () =>
    Effect.gen(function* () {
      const { disk, home } = yield* homeWithDisk
      const daemon = yield* startDaemon({
        home,
        settings: project("fine", sleeps, "restart = { initial_backoff_ms = 50, max_backoff_ms = 50 }"),
        args: ["--termination-log", join(disk, "note")],
        entrance: ["unshare", "-m", "sh", "-c", mounting, disk].concat(
          "sh",
          "-c",
          '[ -e "$0/silence" ]; exec "$@"',
          disk
        )
      })
      let [pid] = yield* pidsOf(home, "fine")
      yield* daemon.logged(/termination log .*disk\/note was not written: the disk does not answer/)
      for (let failure = 0; failure < 4; failure++) {
        process.kill(pid ?? 0, "SIGKILL")
        const before = pid
        const row = yield* rowOf(
          home,
          "fine",
          "is restarted",
          ({ worker_pid }) => worker_pid !== null && worker_pid !== before
        )
        pid = row.worker_pid ?? undefined
      }
      const stop = yield* command({ home, args: ["stop"] })
      assert.strictEqual(stop.stdout, "Daemon stopped\n", stop.stderr)
      yield* daemon.ended
      assert.strictEqual(daemon.stderr().match(/termination log/g)?.length, 1)
    })
  )

  unlessMissing(noSilentDisk)("is named by each command where it holds the daemon's home", () =>
    Effect.gen(function* () {
      const line = '[ -e "$0/silence" ]; "$@"; code=$?; kill -KILL $(cat "$0.pid"); exit $code'
      const onDisk = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
        const home = yield* temporaryHome
        const disk = join(home, "disk")
        fs.mkdirSync(disk)
        return yield* command({
          home,
          env: { AUTOPILOT_HOME: disk },
          command: "unshare",
          args: ["-m", "sh", "-c", mounting, disk, "sh", "-c", line, disk, launcher, ...args]
        })
      })
      const refuses = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
        const { code, stderr } = yield* onDisk(...args)
        // A command that still has a question outstanding can only end by a signal.
        assert.include([1, 137], code, stderr)
        assert.match(stderr, /the disk of .*\/disk\S* did not answer within/i)
      })
      const doctorReports = Effect.map(onDisk("doctor"), ({ stdout }) =>
        assert.match(stdout.replace(/\s+/g, " "), /ERROR Home The disk of .*\/disk does not answer\./)
      )
      yield* Effect.all(
        [
          refuses("status"),
          refuses("start", "--detach"),
          refuses("config", "set", "max_turns", "5"),
          refuses("config", "check"),
          doctorReports
        ],
        { concurrency: "unbounded" }
      )
    })
  )
})
