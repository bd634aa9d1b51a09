import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  assertEndsByCommand,
  assertSupervised,
  byShell,
  daemonLog,
  type Started,
  soonBack,
  whenRunning,
  workerLog
} from "../daemon/OtherStarts.ts"
import { ask, eventually, fixture, isAlive, temporaryHome, workersOf } from "../TestDaemon.ts"

/** What a person sees; the terminal is read from now on. */
const watch = (terminal: Started) => {
  let text = ""
  terminal.stdout.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")))
  return () => text
}

const endOf = (child: Started) =>
  Effect.async<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>((resume) => {
    const done = () => resume(Effect.succeed({ code: child.exitCode, signal: child.signalCode }))
    if (child.exitCode !== null || child.signalCode !== null) done()
    else child.once("exit", done)
  })

const logged = (home: string, pattern: RegExp) =>
  eventually(`${pattern} in the log`, () => pattern.test(daemonLog(home)))

/** Field 7 of stat is the controlling terminal. */
const hasTerminal = (pid: number): boolean =>
  !/\) \S+( \S+){3} 0 /.test(fs.readFileSync(`/proc/${pid}/stat`, "latin1"))

/** util-linux's script(1) is the terminal: what it reads is typed, what it writes is the screen. */
const inTerminal = (shellLine: string) =>
  // script takes one line of shell; the words of the command reach it through the environment.
  `LINE='${shellLine}' LAUNCHER="$1" WORKER="$4" exec script -qfec 'eval "$LINE"' /dev/null`

const asItself = 'exec "$LAUNCHER" start -- "$WORKER"'
const belowAShell = '"$LAUNCHER" start -- "$WORKER"; true'
const inTheBackground = 'bash --norc -ic "\\"$LAUNCHER\\" start -- \\"$WORKER\\" & sleep 1000000"'

const ctrlC = "\x03"
const ctrlS = "\x13"
const ctrlQ = "\x11"

const startInTerminal = Effect.fnUntraced(function* (line: string, worker = "mutters.sh") {
  const home = yield* temporaryHome
  soonBack(home)
  const terminal = yield* byShell({ home, script: inTerminal(line), worker: [fixture(worker)] })
  const screen = watch(terminal)
  const { daemon_pid } = yield* whenRunning(home)
  return { home, terminal, screen, pid: daemon_pid ?? 0 }
})

describe("in a terminal", () => {
  it.scopedLive("Ctrl-C stops the daemon and its worker, exit code 0", () =>
    Effect.gen(function* () {
      const { home, pid, screen, terminal } = yield* startInTerminal(asItself)
      yield* eventually("the worker's output is on the screen", () => screen().includes("default| up "))
      terminal.stdin.write(ctrlC)
      assert.deepStrictEqual(yield* endOf(terminal), { code: 0, signal: null })
      assert.isFalse(isAlive(pid))
      assert.deepStrictEqual(workersOf(home), [])
      assert.match(daemonLog(home), /Shutting down: SIGINT\n/)
      yield* eventually("its last words are on the screen", () =>
        /Stopped; all workers have exited\r?\n$/.test(screen())
      )
    })
  )

  it.scopedLive("Ctrl-S stops only the screen, and a note after Ctrl-Q counts the missing lines", () =>
    Effect.gen(function* () {
      const { home, screen, terminal } = yield* startInTerminal(asItself)
      terminal.stdin.write(ctrlS)
      const lengthBefore = workerLog(home).length
      // More than the terminal and the daemon's queue hold.
      yield* eventually("the worker goes on", () => workerLog(home).length > lengthBefore + 2 * 1024 * 1024)
      yield* assertSupervised(home)
      const shownBefore = screen().length
      terminal.stdin.write(ctrlQ)
      yield* eventually("the screen goes on and says what is missing", () =>
        /^\.\.\. [0-9]+ lines are not shown/m.test(screen().slice(shownBefore))
      )
      yield* assertEndsByCommand(home)
    })
  )

  it.scopedLive("the daemon stops on a signal while Ctrl-S holds the screen", () =>
    Effect.gen(function* () {
      const { home, pid, terminal } = yield* startInTerminal(asItself)
      terminal.stdin.write(ctrlS)
      const lengthBefore = workerLog(home).length
      yield* eventually("the worker goes on", () => workerLog(home).length > lengthBefore + 2 * 1024 * 1024)
      process.kill(pid, "SIGTERM")
      yield* logged(home, /Stopped; all workers have exited\n$/)
      yield* eventually("it has ended", () => !isAlive(pid))
      assert.deepStrictEqual(workersOf(home), [])
    })
  )

  for (const [what, line, hearsOfIt] of [
    ["as the terminal's own program", asItself, true],
    ["below a shell", belowAShell, true],
    ["in the background of an interactive shell", inTheBackground, false]
  ] as const) {
    it.scopedLive(`closing the terminal does not stop a daemon that was started ${what}`, () =>
      Effect.gen(function* () {
        const { home, pid, terminal } = yield* startInTerminal(line)
        assert.isTrue(hasTerminal(pid))
        terminal.kill("SIGKILL")
        yield* endOf(terminal)
        yield* eventually("the terminal is gone", () => !hasTerminal(pid))
        if (hearsOfIt) yield* logged(home, /The terminal was closed; supervision continues\. /)
        yield* assertSupervised(home)
        assert.strictEqual((yield* whenRunning(home)).daemon_pid, pid)
        yield* assertEndsByCommand(home)
        assert.isFalse(isAlive(pid))
      })
    )
  }

  it.scopedLive("a SIGHUP from a user stops the daemon while the terminal is open", () =>
    Effect.gen(function* () {
      const { home, pid, terminal } = yield* startInTerminal(belowAShell)
      process.kill(pid, "SIGHUP")
      assert.deepStrictEqual(yield* endOf(terminal), { code: 0, signal: null })
      assert.match(daemonLog(home), /Shutting down: SIGHUP\n/)
      assert.deepStrictEqual(workersOf(home), [])
    })
  )

  it.scopedLive("SIGTERM stops the daemon after the terminal was closed", () =>
    Effect.gen(function* () {
      const { home, pid, terminal } = yield* startInTerminal(belowAShell)
      terminal.kill("SIGKILL")
      yield* logged(home, /The terminal was closed/)
      process.kill(pid, "SIGTERM")
      yield* eventually("it has ended", () => !isAlive(pid))
      assert.match(daemonLog(home), /Stopped; all workers have exited\n$/)
      assert.deepStrictEqual(workersOf(home), [])
    })
  )
})

describe("under nohup", () => {
  it.scopedLive("SIGHUP does nothing, and SIGTERM stops the daemon", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      soonBack(home)
      const daemon = yield* byShell({
        home,
        script: 'exec nohup "$@" >out 2>&1',
        worker: [fixture("mutters.sh")]
      })
      const { daemon_pid } = yield* whenRunning(home)
      const pid = daemon_pid ?? 0
      for (let n = 0; n < 3; n++) {
        process.kill(pid, "SIGHUP")
        assert.isTrue((yield* ask(home, { type: "Status" })).success)
      }
      yield* assertSupervised(home)
      assert.notMatch(daemonLog(home), /SIGHUP|terminal was closed/)
      process.kill(pid, "SIGTERM")
      assert.deepStrictEqual(yield* endOf(daemon), { code: 0, signal: null })
      assert.match(fs.readFileSync(join(home, "out"), "latin1"), /Stopped; all workers have exited\n$/)
    })
  )

  it.scopedLive("a worker does not inherit the ignored SIGHUP", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* byShell({ home, script: 'exec nohup "$@" >out 2>&1', worker: [fixture("sleeps.sh")] })
      const { worker_pid } = yield* whenRunning(home)
      const ignored = /^SigIgn:\s+([0-9a-f]+)$/m.exec(fs.readFileSync(`/proc/${worker_pid}/status`, "utf8"))
      assert.strictEqual(BigInt(`0x${ignored?.at(1)}`) & 1n, 0n)
    })
  )
})
