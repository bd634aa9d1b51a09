import * as fs from "node:fs"
import { delimiter, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { noSmallDisk, unlessMissing } from "../../fixtures/Missing.ts"
import { command, eventually, fixture, run, startDaemon, temporaryHome, workersOf } from "../TestDaemon.ts"

const worker = fixture("sleeps.sh")

/** Rounds of simultaneous starts, and starts a round. More by hand: `AUTOPILOTD_START_ROUNDS=100 npx vitest ...` */
const rounds = Number(process.env["AUTOPILOTD_START_ROUNDS"] ?? 1)
const starts = Number(process.env["AUTOPILOTD_STARTS"] ?? 5)

const pidFileOf = (home: string) => join(home, "autopilotd.pid")

const pidIn = (home: string): string => fs.readFileSync(pidFileOf(home), "utf8")

const alreadyRunning = (pid: number | undefined, home: string): string =>
  `autopilotd: A daemon is already running${pid === undefined ? "" : ` with pid ${pid}`} for ${home}. ` +
  "See `autopilotd status`; stop it with `autopilotd stop`.\n"

/** The same for a start with a command, which can run beside. */
const refusedWith = (pid: number | undefined, home: string): string =>
  `${alreadyRunning(pid, home)}To run this command beside what it runs: autopilotd run -- ${worker}\n`

/** What earlier daemons may have left in the PID file. */
const leftovers: ReadonlyArray<string | undefined> = [undefined, "", "1", "garbage", "2147483647"]

const raceOf = Effect.fnUntraced(function* (round: number) {
  const home = yield* temporaryHome
  const leftover = leftovers[round % leftovers.length]
  if (leftover !== undefined) fs.writeFileSync(pidFileOf(home), leftover)
  const all = yield* Effect.all(
    Array.from({ length: starts }, () => run({ home, args: ["start", "--", worker] })),
    { concurrency: "unbounded" }
  )
  const living = () => all.filter(({ child }) => child.exitCode === null && child.signalCode === null)
  // Patience is for the next one each time: a busy machine needs long for all of them.
  for (let left = starts - 1; left > 0; left--) {
    yield* eventually(`${starts - left} have ended`, () => living().length <= left)
  }
  const [winner] = living()
  assert(winner !== undefined, all.map(({ stderr }) => stderr()).join(""))
  for (const loser of all.filter((one) => one !== winner)) {
    assert.deepStrictEqual(yield* loser.ended, { code: 1, signal: null }, loser.stderr())
    assert.strictEqual(loser.stderr(), refusedWith(winner.pid, home))
    assert.strictEqual(loser.stdout(), "")
  }
  yield* eventually("its worker runs", () => /Worker started/.exec(winner.stderr()) ?? undefined)
  assert.strictEqual(workersOf(home).length, 1)
  assert.strictEqual(pidIn(home), String(winner.pid))
  const stopped = yield* command({ home, args: ["stop"] })
  assert.strictEqual(stopped.stdout, "Daemon stopped\n", stopped.stderr)
  assert.deepStrictEqual(yield* winner.ended, { code: 0, signal: null })
  assert.deepStrictEqual(workersOf(home), [])
})

describe(`${starts} starts at once`, () => {
  for (let round = 0; round < rounds; round++) {
    it.scopedLive(
      `leave one daemon and one worker, and each loser names the winner's pid (round ${round + 1}; D13)`,
      () => raceOf(round)
    )
  }
})

describe("a PID file that earlier daemons or others have left", () => {
  /** Each puts something there and says what it is. */
  const cases: Record<string, (path: string) => void> = {
    "holds garbage, and cannot be written": (path) =>
      fs.writeFileSync(path, "\0\u001b[31mnot a pid\n".repeat(1000), { mode: 0o400 }),
    "is a link to nowhere": (path) => fs.symlinkSync("/nowhere/autopilotd.pid", path)
  }
  for (const [what, prepare] of Object.entries(cases)) {
    it.scopedLive(`does not stop a start when it ${what}`, () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        prepare(pidFileOf(home))
        const daemon = yield* startDaemon({ home, worker: [worker] })
        assert.strictEqual(pidIn(home), String(daemon.pid))
        assert.strictEqual(fs.lstatSync(pidFileOf(home)).mode & 0o777, 0o600)
      })
    )
  }
})

describe("the daemon that runs", () => {
  it.scopedLive("keeps its socket, PID file and worker when another start is refused", () =>
    Effect.gen(function* () {
      const { home, pid, ...daemon } = yield* startDaemon({ worker: [worker] })
      const before = yield* daemon.status("it runs", (data) => data.worker_status === "running")
      const socket = fs.statSync(join(home, "autopilotd.sock")).ino
      for (const [args, stderr] of [
        [["start", "--", worker], refusedWith(pid, home)],
        [["start"], alreadyRunning(pid, home)]
      ] as const) {
        const refused = yield* command({ home, args })
        assert.deepStrictEqual(refused, { code: 1, signal: null, stdout: "", stderr })
      }
      assert.strictEqual(fs.statSync(join(home, "autopilotd.sock")).ino, socket)
      assert.strictEqual(pidIn(home), String(pid))
      // A PID file that names another process is not believed, and no wrong process is named.
      fs.writeFileSync(pidFileOf(home), "1")
      const second = yield* command({ home, args: ["start", "--", worker] })
      assert.deepStrictEqual([second.code, second.stderr], [1, refusedWith(undefined, home)])
      const after = yield* daemon.status("it runs", () => true)
      assert.strictEqual(after.worker_pid, before.worker_pid)
    })
  )

  it.scopedLive("stays the only one, with its worker, when its lock file or the whole home is removed", () =>
    Effect.gen(function* () {
      const { home, pid, ...daemon } = yield* startDaemon({ worker: [worker] })
      const before = yield* daemon.status("it runs", (data) => data.worker_status === "running")
      const id = fs.readFileSync(join(home, "id"), "utf8")
      for (const removed of ["autopilotd.lock", "."]) {
        fs.rmSync(join(home, removed), { recursive: true })
        fs.mkdirSync(home, { recursive: true, mode: 0o700 })
        const refused = yield* command({ home, args: ["start", "--detach", "--", worker] })
        assert.deepStrictEqual([refused.code, refused.stderr], [1, refusedWith(pid, home)])
        // The refused start may have made the folders and the lock file, but never the id.
        yield* daemon.logged(new RegExp(`made its home again.*${removed === "." ? "/id\\b" : removed}`))
        const after = yield* daemon.status("it answers again", (data) => data.daemon_pid === pid)
        assert.deepStrictEqual(
          [after.worker_pid, after.worker_status, after.total_restarts],
          [before.worker_pid, "running", 0]
        )
      }
      assert.strictEqual(fs.readFileSync(join(home, "id"), "utf8"), id)
      yield* eventually("its state is saved again", () => fs.existsSync(join(home, "state", "default.json")))
      yield* eventually(
        "the worker's leader is saved again, for a daemon that finds no readable state",
        () =>
          fs.existsSync(join(home, "state", "default.leader"))
            ? fs
                .readFileSync(join(home, "state", "default.leader"), "utf8")
                .includes(`"pid":${before.worker_pid},`) || undefined
            : undefined
      )
      assert.strictEqual((yield* command({ home, args: ["stop"] })).stdout, "Daemon stopped\n")
      assert.deepStrictEqual(yield* daemon.ended, { code: 0, signal: null })
      assert.deepStrictEqual(workersOf(home), [])
    })
  )

  it.scopedLive("can be stopped and started again and again without a pause (D15)", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      for (let turn = 0; turn < 2; turn++) {
        const started = yield* command({ home, args: ["start", "--detach", "--", worker] })
        assert.strictEqual(started.code, 0, started.stderr)
        const stopped = yield* command({ home, args: ["stop"] })
        assert.strictEqual(stopped.stdout, "Daemon stopped\n", stopped.stderr)
      }
      assert.deepStrictEqual(workersOf(home), [])
    })
  )
})

/** A folder with links to all that a daemon and its worker need, but not to flock. */
const pathWithoutFlock = (home: string): string => {
  const folder = join(home, "programs")
  fs.mkdirSync(folder)
  fs.symlinkSync(process.execPath, join(folder, "node"))
  for (const name of ["sh", "readlink", "sleep"]) {
    const found = (process.env["PATH"] ?? "")
      .split(delimiter)
      .map((each) => join(each, name))
      .find((path) => fs.existsSync(path))
    fs.symlinkSync(found ?? `/bin/${name}`, join(folder, name))
  }
  return folder
}

describe("on a machine without flock(1)", () => {
  it.scopedLive(
    "only one daemon runs, whether or not the others have flock(1), and kill -9 releases the lock",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const env = { PATH: pathWithoutFlock(home) }
        const first = yield* startDaemon({ home, worker: [worker], env })
        for (const other of [{ env }, {}]) {
          const refused = yield* command({ home, args: ["start", "--", worker], ...other })
          assert.deepStrictEqual([refused.code, refused.stderr], [1, refusedWith(first.pid, home)])
        }
        first.child.kill("SIGKILL")
        yield* first.ended
        const second = yield* startDaemon({ home, worker: [worker] })
        const refused = yield* command({ home, args: ["start", "--", worker], env })
        assert.strictEqual(refused.stderr, refusedWith(second.pid, home))
      })
  )
})

describe("a home that cannot be used", () => {
  const assertOneSentence = (told: { code: number | null; stdout: string; stderr: string }, said: RegExp) => {
    assert.strictEqual(told.code, 1, told.stderr)
    assert.strictEqual(told.stdout, "")
    assert.match(told.stderr, said)
    assert.strictEqual(told.stderr.trimEnd().split("\n").length, 1, told.stderr)
  }

  const startIn = (root: string) =>
    Effect.gen(function* () {
      const cwd = yield* temporaryHome
      return yield* command({ home: root, cwd, args: ["start", "--", worker] })
    })

  it.scopedLive("because it is a file is reported in one sentence", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const file = join(home, "file")
      fs.writeFileSync(file, "")
      assertOneSentence(
        yield* startIn(file),
        /file cannot be used: a part of the path is a file, not a folder\. .*AUTOPILOT_HOME/
      )
      assertOneSentence(yield* startIn(join(file, "below")), /a part of the path is a file, not a folder/)
    })
  )

  it.scopedLive("because it cannot be written is reported in one sentence", () =>
    Effect.gen(function* () {
      // Not even root may make a folder here.
      assertOneSentence(
        yield* startIn("/sys/autopilotd"),
        /^autopilotd: \/sys\/autopilotd cannot be used: (permission denied|it is on a read-only file system)\. Make .+ writable/
      )
      assertOneSentence(yield* startIn("/proc/autopilotd"), /there is no such folder\. Create it/)
    })
  )

  it.scopedLive("because all users share it is refused, and stays as open as it was", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const shared = join(home, "shared")
      fs.mkdirSync(shared)
      fs.chmodSync(shared, 0o1777)
      assertOneSentence(yield* startIn(shared), /all users share this folder/)
      assert.strictEqual(fs.statSync(shared).mode & 0o7777, 0o1777)
      assert.deepStrictEqual(fs.readdirSync(shared), [])
    })
  )

  it.scopedLive("because the path of its socket is too long is reported with both lengths", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryHome, "x".repeat(100))
      assertOneSentence(
        yield* startIn(home),
        /^autopilotd: The path of the control socket has 1\d\d bytes, but Linux allows 107: .*AUTOPILOT_HOME/
      )
      assert.deepStrictEqual(workersOf(home), [])
      assert.isFalse(fs.existsSync(pidFileOf(home)))
    })
  )

  unlessMissing(noSmallDisk)("because its disk is full is reported in one sentence", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const disk =
        'mount -t tmpfs -o size=64k,mode=700 none "$1"; cat /dev/zero >"$1/fill" 2>&-; shift; exec "$@"'
      const launcher = join(import.meta.dirname, "../../../bin/autopilotd")
      const told = yield* command({
        home,
        command: "unshare",
        args: ["--mount", "sh", "-c", disk, "sh", home, launcher, "start", "--", worker]
      })
      assertOneSentence(told, /cannot be used: the disk is full\. Free some space there/)
    })
  )
})
