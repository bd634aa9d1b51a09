import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { noSmallDisk, unlessMissing } from "../../fixtures/Missing.ts"
import { assertSupervised, onSmallDisk, soonBack, workerLog } from "../daemon/OtherStarts.ts"
import { ask, command, eventually, fixture, startDaemon, temporaryHome, workersOf } from "../TestDaemon.ts"

const residentBytes = (pid: number): number =>
  1024 * Number(/VmHWM:\s+([0-9]+) kB/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))?.at(1))

/** An idle daemon has about 60 MiB; what may wait for the disk, the log and the screen is below 32 MiB. */
const maxResidentBytes = 180 * 1024 * 1024

describe("a worker's output", () => {
  for (const [megabytes, lineBytes] of [
    [2, 2],
    [50, 100],
    [50, 1_000_000]
  ]) {
    it.scopedLive(
      `is always read: ${megabytes} MB on each stream in lines of ${lineBytes} bytes, while status answers and memory stays small (D8)`,
      () =>
        Effect.gen(function* () {
          const home = yield* temporaryHome
          const over = join(home, "over")
          const daemon = yield* startDaemon({
            home,
            worker: [fixture("floods.mjs"), String(lineBytes), String(megabytes), over]
          })
          let answers = 0
          yield* eventually(
            "the flood is over",
            Effect.map(ask(home, { type: "Status" }), () => {
              answers++
              return fs.existsSync(over) || undefined
            })
          )
          assert.isAbove(answers, 1)
          assert.isBelow(residentBytes(daemon.pid), maxResidentBytes)
          yield* assertSupervised(home)
          daemon.child.kill("SIGTERM")
          assert.deepStrictEqual(yield* daemon.ended, { code: 0, signal: null })
          assert.notInclude(daemon.stderr(), "MaxListenersExceededWarning")
          const files = fs.readdirSync(join(home, "logs/default"))
          assert.isAtMost(files.length, 5)
          const bytes = files.map((name) => fs.statSync(join(home, "logs/default", name)).size)
          assert.isBelow(Math.max(...bytes), 22 * 1024 * 1024)
        })
    )
  }

  it.scopedLive("is stored unchanged: binary data, very long lines, a last line without a newline", () =>
    Effect.gen(function* () {
      const daemon = yield* startDaemon({ worker: [fixture("odd-output.sh")] })
      yield* daemon.status("it has finished", (data) => data.worker_status === "stopped")
      yield* eventually("its last words are in its log", () =>
        /out last words\n/.test(workerLog(daemon.home))
      )
      const log = workerLog(daemon.home)
      assert.match(log, /^\S+ \S+ --- worker started, pid \d+\n\S+ \S+ out first\n/)
      assert.match(log, /^\S+ \S+ out \xff\xfe\0binary\n/m)
      assert.match(log, /^\S+ \S+ err last complaint\n/m)
      assert.match(log, /^\S+ \S+ out z{262144} \[cut here: the line is longer\]\n/m)
      assert.strictEqual(log.match(/z/g)?.length, 600_000)
      assert.match(log, /^\S+ \S+ out \n/m)
      yield* eventually("it is on the daemon's own output, by stream", () =>
        /^default\| last words$/m.test(daemon.stdout())
      )
      assert.match(daemon.stderr(), /^default\| last complaint$/m)
    })
  )

  it.scopedLive(
    "never harms the daemon: hostile lines are escaped, and a question is shown after a second",
    () =>
      Effect.gen(function* () {
        const daemon = yield* startDaemon({ worker: ["node", fixture("hostile-output.mjs")] })
        const question = "Do you trust the files in this folder? [y/N]"
        yield* daemon.status("it shows the question", (data) => data.unfinished_line === question)
        yield* eventually("the question is on the daemon's own output", () =>
          daemon.stdout().includes(`default| ${question} [unfinished line]\n`)
        )
        assert.include(daemon.stdout(), "default| \\x00<3>forged \\x1b]52;")
        assert.notMatch(daemon.stdout() + daemon.stderr(), /(?!\n)\p{Cc}/u)
        const logs = yield* command({ home: daemon.home, args: ["logs", "--json"] })
        assert.strictEqual(logs.code, 0, logs.stderr)
        assert.match(logs.stdout, /"stream":"note","text":"unfinished line of out: Do you trust/)
        const data = yield* daemon.status("it runs", ({ worker_status }) => worker_status === "running")
        assert.deepInclude(data, { total_restarts: 0, degraded: [] })
        assert.include(workerLog(daemon.home), "\0<3>forged \u001b]52;")
      })
  )
})

describe("a full disk", () => {
  unlessMissing(noSmallDisk)(
    "for the logs does not stop supervision, and a note counts the dropped lines once there is space",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        soonBack(home)
        const over = join(home, "over")
        const worker = [fixture("floods.mjs"), "100", "20", over]
        const { daemon, isTold, resize } = yield* onSmallDisk(home, 1, worker)
        yield* eventually("the worker was not held up", () => fs.existsSync(over))
        yield* isTold(/The worker's log cannot be written, the worker keeps running: .*ENOSPC/)
        yield* assertSupervised(home)
        assert.isBelow(residentBytes(daemon.pid ?? 0), maxResidentBytes)
        resize(200)
        yield* isTold(/The worker's log is writable again/)
        yield* isTold(/Dropped [0-9]+ lines of the worker's output: /)
        const stop = yield* command({ home, args: ["stop"] })
        assert.strictEqual(stop.stdout, "Daemon stopped\n", stop.stderr)
        assert.deepStrictEqual(workersOf(home), [])
        yield* isTold(/Stopped; all workers have exited\n$/)
      })
  )
})
