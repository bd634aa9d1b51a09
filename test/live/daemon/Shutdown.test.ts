import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  command,
  eventually,
  fixture,
  isAlive,
  processesWith,
  run,
  startDaemon,
  type TestDaemon,
  temporaryHome,
  workersOf
} from "../TestDaemon.ts"
import { alive, treeNames, treeUp } from "../tree/GrownTree.ts"
import { byShell, whenRunning } from "./OtherStarts.ts"

const deafIsUp = (daemon: TestDaemon) =>
  eventually("the worker ignores SIGTERM", () => /up [0-9]+/.test(daemon.stdout()))

const clean = { code: 0, signal: null }

/** What a clean end leaves: no process of the worker, no socket, no PID file, and the last words. */
const assertNothingLeft = (daemon: TestDaemon) => {
  assert.deepStrictEqual(workersOf(daemon.home), [])
  assert.isFalse(fs.existsSync(join(daemon.home, "autopilotd.sock")))
  assert.isFalse(fs.existsSync(join(daemon.home, "autopilotd.pid")))
  const log = fs.readFileSync(join(daemon.home, "logs/autopilotd.log"), "utf8")
  assert.match(log, /Stopped; all workers have exited\n$/)
}

describe("SIGUSR1, which opens the debugger of other Node programs,", () => {
  it.scopedLive("does nothing to a daemon; a signal that kills other programs stops it cleanly", () =>
    Effect.gen(function* () {
      const daemon = yield* startDaemon({ worker: [fixture("sleeps.sh")] })
      const { worker_pid } = yield* daemon.status("it runs", (data) => data.worker_status === "running")
      daemon.child.kill("SIGUSR1")
      yield* daemon.ask({ type: "Status" })
      assert.notMatch(daemon.stderr(), /[Dd]ebugger|[Ii]nspector/)
      assert.match(
        fs.readFileSync(`/proc/${daemon.pid}/cmdline`, "latin1"),
        /--inspect-port=192\.0\.2\.1:1024/
      )
      daemon.child.kill("SIGPWR")
      assert.deepStrictEqual(yield* daemon.ended, clean)
      assert.isFalse(isAlive(worker_pid ?? 0))
      assertNothingLeft(daemon)
      assert.include(daemon.stderr(), "Shutting down: SIGPWR")
    })
  )
})

interface Situation {
  readonly what: string
  /** One of those that end programs; each has a situation. */
  readonly signal: NodeJS.Signals
  readonly worker: ReadonlyArray<string>
  readonly settings?: string
  /** Brings it about. */
  readonly enter: (daemon: TestDaemon) => Effect.Effect<unknown>
}

const inState = (word: string) => (daemon: TestDaemon) =>
  daemon.status(`it is ${word}`, (data) => data.worker_status === word)

const situations: ReadonlyArray<Situation> = [
  {
    what: "is being stopped and ignores SIGTERM",
    signal: "SIGTERM",
    worker: [fixture("ignores-term.sh")],
    settings: "[restart]\nstop_grace_ms = 500\n",
    enter: (daemon) =>
      deafIsUp(daemon).pipe(
        Effect.zipRight(daemon.ask({ type: "StopWorker" })),
        Effect.zipRight(inState("stopping")(daemon))
      )
  },
  {
    what: "is being restarted and ignores SIGTERM",
    signal: "SIGINT",
    worker: [fixture("ignores-term.sh")],
    settings: "[restart]\nstop_grace_ms = 500\n",
    enter: (daemon) =>
      deafIsUp(daemon).pipe(
        Effect.zipRight(daemon.ask({ type: "RestartWorker" })),
        Effect.zipRight(inState("stopping")(daemon))
      )
  },
  {
    what: "waits out a backoff of five minutes",
    signal: "SIGHUP",
    worker: [fixture("ends.sh"), "0", "3"],
    settings: "[restart]\ninitial_backoff_ms = 300000\n",
    enter: inState("restarting")
  },
  {
    what: "has failed for good",
    signal: "SIGQUIT",
    worker: [fixture("ends.sh"), "0", "3"],
    settings: "[restart]\nmax_consecutive_restarts = 1\n",
    enter: inState("failed")
  },
  {
    what: "has finished its work",
    signal: "SIGUSR2",
    worker: [fixture("ends.sh"), "0", "0"],
    enter: inState("stopped")
  },
  {
    what: "cannot be started",
    signal: "SIGALRM",
    worker: ["/nowhere/agent"],
    settings: "[restart]\ninitial_backoff_ms = 300000\n",
    enter: inState("restarting")
  }
]

describe("a signal that terminates programs stops the daemon cleanly, and no worker starts after it (D9)", () => {
  for (const { enter, settings, signal, what, worker } of situations) {
    it.scopedLive(`${signal} while the worker ${what}`, () =>
      Effect.gen(function* () {
        const daemon = yield* startDaemon({ worker, ...(settings === undefined ? {} : { settings }) })
        yield* enter(daemon)
        const before = daemon.stderr().split("Worker started").length
        daemon.child.kill(signal)
        assert.deepStrictEqual(yield* daemon.ended, clean)
        assertNothingLeft(daemon)
        assert.include(daemon.stderr(), `Shutting down: ${signal}`)
        assert.strictEqual(daemon.stderr().split("Worker started").length, before)
      })
    )
  }
})

const longGrace = "[restart]\nstop_grace_ms = 600000\n"

describe("a daemon that is shutting down", () => {
  it.scopedLive("answers until it exits: status says stopping, and starts are refused", () =>
    Effect.gen(function* () {
      const daemon = yield* startDaemon({ worker: [fixture("ignores-term.sh")], settings: longGrace })
      yield* deafIsUp(daemon)
      daemon.child.kill("SIGTERM")
      const status = yield* inState("stopping")(daemon)
      assert.strictEqual(status.reason, "the daemon is shutting down")
      for (const type of ["StartWorker", "RestartWorker"]) {
        const refused = yield* daemon.ask({ type })
        assert.isFalse(refused.success)
        assert.match(refused.message, /the daemon is shutting down/)
      }
      assert.isTrue((yield* daemon.ask({ type: "StopWorker" })).success)
      assert.strictEqual(workersOf(daemon.home).length, 1)
      daemon.child.kill("SIGINT")
      assert.deepStrictEqual(yield* daemon.ended, clean)
      assertNothingLeft(daemon)
    })
  )

  const hasteners: ReadonlyArray<
    readonly [what: string, again: (daemon: TestDaemon) => Effect.Effect<unknown>]
  > = [
    // The same signal again at once is taken for an echo of the first, so a person repeats it.
    [
      "SIGTERM again",
      (daemon) =>
        eventually(
          "the second is heard",
          Effect.sync(() => {
            daemon.child.kill("SIGTERM")
            return daemon.stderr().includes("SIGTERM while shutting down") || undefined
          }).pipe(Effect.delay(20))
        )
    ],
    ["three hangups at once", (daemon) => Effect.sync(() => [1, 2, 3].map(() => daemon.child.kill("SIGHUP")))]
  ]
  for (const [what, again] of hasteners) {
    it.scopedLive(`kills all processes that ignore SIGTERM at once after ${what} (D31)`, () =>
      Effect.gen(function* () {
        const daemon = yield* startDaemon({ worker: [fixture("grows-a-tree.sh")], settings: longGrace })
        const tree = yield* treeUp(daemon, 1, treeNames)
        daemon.child.kill("SIGTERM")
        yield* inState("stopping")(daemon)
        yield* again(daemon)
        assert.deepStrictEqual(yield* daemon.ended, clean)
        assertNothingLeft(daemon)
        assert.deepStrictEqual(alive(tree.values()), [])
      })
    )
  }
})

describe("a signal at any moment of a start", () => {
  it.scopedLive(
    "never leaves a process behind, and the exit code is 0, or 143 before the daemon can listen",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const rounds = 6
        const codes: Array<number | NodeJS.Signals | null> = []
        for (let round = 0; round < rounds; round++) {
          const daemon = yield* run({ home, args: ["start", "--", fixture("grows-a-tree.sh")] })
          // Evenly over the time in which a start takes place here, its worker's first moments included.
          yield* Effect.sleep((round * 600) / rounds)
          daemon.child.kill("SIGTERM")
          // Its worker ignores SIGTERM.
          yield* Effect.sleep(60)
          daemon.child.kill("SIGINT")
          const { code, signal } = yield* daemon.ended
          codes.push(signal ?? code)
          assert.deepStrictEqual(workersOf(home), [], `round ${round}`)
        }
        // Of two signals that wait for a core, the kernel delivers SIGINT first.
        assert.deepStrictEqual(
          codes.filter((code) => ![0, 143, "SIGTERM", "SIGINT"].includes(code ?? "none")),
          []
        )
        assert.deepStrictEqual(processesWith(`AUTOPILOT_HOME=${home}`), [])
      })
  )
})

describe("a daemon that was killed", () => {
  it.scopedLive(
    "does not prevent `stop`, which stops its worker and then reports no daemon, nor the next start",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const worker = [fixture("sleeps.sh")]
        const first = yield* startDaemon({ home, worker })
        const { worker_pid } = yield* first.status("it runs", (data) => data.worker_status === "running")
        first.child.kill("SIGKILL")
        yield* first.ended
        const stop = yield* command({ home, args: ["stop"] })
        assert.strictEqual(stop.code, 0, stop.stderr)
        assert.match(stop.stdout, /^No daemon was running\. Stopped what a killed daemon had left/)
        assert.isFalse(isAlive(worker_pid ?? 0))
        const again = yield* command({ home, args: ["stop"] })
        assert.deepStrictEqual(
          [again.code, again.stdout],
          [0, "No daemon was running, and nothing of one is left\n"]
        )
        const second = yield* startDaemon({ home, worker })
        const now = yield* second.status("it runs", (data) => data.worker_status === "running")
        assert.deepStrictEqual(workersOf(home), [now.worker_pid ?? 0])
      })
  )
})

/** Throws in a callback of Node, and rejects a promise, once there is a file `go`. */
const bug = `import { existsSync } from "node:fs"
const timer = setInterval(() => {
  if (!existsSync("go")) return
  clearInterval(timer)
  void Promise.reject(new Error("rejected outside"))
  throw new Error("thrown outside")
}, 20)`

describe("a bug outside of every fiber", () => {
  it.scopedLive("stops the daemon and its worker, with the stack in its log, and why calls it a bug", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.writeFileSync(join(home, "bug.mjs"), bug)
      const daemon = yield* byShell({
        home,
        script:
          'bundle=$(dirname "$1")/../dist/autopilotd.js; shift; exec node --import ./bug.mjs "$bundle" "$@"',
        worker: [fixture("sleeps.sh")]
      })
      const ended = Effect.sync(() => daemon.exitCode ?? undefined)
      yield* whenRunning(home)
      fs.writeFileSync(join(home, "go"), "")
      assert.strictEqual(yield* eventually("the daemon exits", ended), 1)
      assert.deepStrictEqual(workersOf(home), [])
      const log = fs.readFileSync(join(home, "logs/autopilotd.log"), "utf8")
      const told =
        "ERROR An exception outside of every fiber: this is a bug in autopilotd, the daemon stops Error:"
      assert.include(log, `${told} thrown outside\n        at `)
      assert.include(log, `${told} rejected outside\n        at `)
      assert.match(log, /Stopped; all workers have exited\n$/)
      const { stdout } = yield* command({ home, args: ["why"] })
      assert.match(
        stdout,
        /stopped at (yesterday )?\d\d:\d\d because of a bug: an uncaught exception\. Its log has the cause/
      )
    })
  )
})
