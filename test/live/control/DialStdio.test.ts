import { spawn } from "node:child_process"
import { once } from "node:events"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { dialMarker } from "../../../src/Domain/control/DialMarker.ts"
import {
  eventually,
  fixture,
  isAlive,
  killForSure,
  launcher,
  ownProcess,
  startDaemon,
  temporaryHome
} from "../TestDaemon.ts"

/** `autopilotd dial-stdio` between pipes that the test holds, as sshd does. */
const dial = (home: string, ...options: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(launcher, ["dial-stdio", ...options], {
        cwd: home,
        env: { ...process.env, AUTOPILOT_HOME: home },
        stdio: ["pipe", "pipe", "inherit"]
      })
      const { stdin, stdout } = child
      let heard = ""
      stdout.on("data", (chunk: Buffer) => (heard += chunk.toString("utf8")))
      // Its end closes the pipes.
      stdin.on("error", () => undefined)
      const hears = (text: string) => eventually(`the stream has ${text}`, () => heard.includes(text))
      /** Both pipes at once, as when ssh is killed. */
      const cut = () => {
        stdin.destroy()
        stdout.destroy()
      }
      const pid = child.pid ?? 0
      const gone = eventually("dial-stdio has ended", () => !isAlive(pid))
      return { child, stdin, heard: () => heard, hears, cut, gone, pid }
    }),
    ({ pid }) => Effect.sync(() => killForSure(pid))
  )

describe("autopilotd dial-stdio", () => {
  it.scopedLive("says in words that no daemon runs, with code 3, and nothing on the stream", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const said = yield* ownProcess({ home, args: ["dial-stdio"] })
      assert.deepStrictEqual([said.code, said.stdout], [3, ""])
      assert.strictEqual(
        said.stderr,
        `autopilotd: No daemon is listening on ${home}/autopilotd.sock. Start it with: autopilotd start\n`
      )
    })
  )

  it.scopedLive(
    "leaves no process when its client is gone: in a subscription, and while the daemon hangs",
    () =>
      Effect.gen(function* () {
        const daemon = yield* startDaemon({ worker: [fixture("sleeps.sh")] })
        const [following, ended] = yield* Effect.all([dial(daemon.home), dial(daemon.home)])
        for (const one of [following, ended]) {
          one.stdin.write('{"type":"Subscribe"}\n')
          yield* one.hears('"type":"snapshot"')
        }
        following.cut()
        // This one has a client that still reads, and hears the daemon's signs of life.
        ended.stdin.end()
        yield* following.gone
        yield* ended.hears('"type":"alive"')
        assert.isTrue(isAlive(ended.pid))

        const asking = yield* dial(daemon.home)
        yield* asking.hears(dialMarker)
        process.kill(daemon.pid, "SIGSTOP")
        asking.stdin.write('{"type":"Status"}')
        asking.cut()
        yield* asking.gone.pipe(Effect.ensuring(Effect.sync(() => process.kill(daemon.pid, "SIGCONT"))))
      })
  )

  it.scopedLive("ends with the daemon", () =>
    Effect.gen(function* () {
      const daemon = yield* startDaemon({ worker: [fixture("sleeps.sh")] })
      const stream = yield* dial(daemon.home)
      stream.stdin.write('{"type":"Subscribe"}\n')
      yield* stream.hears('"type":"snapshot"')
      const closed = once(stream.child, "close")
      killForSure(daemon.pid)
      yield* Effect.promise(() => closed)
      assert.strictEqual(stream.child.exitCode, 0)
    })
  )

  it.scopedLive("--read-only lets a client look, and not stop the worker", () =>
    Effect.gen(function* () {
      const daemon = yield* startDaemon({ worker: [fixture("sleeps.sh")] })
      yield* daemon.status("it runs", ({ worker_status }) => worker_status === "running")
      const asked = Effect.fnUntraced(function* (text: string) {
        const { child, heard, stdin } = yield* dial(daemon.home, "--read-only")
        stdin.write(text)
        yield* Effect.promise(() => once(child, "close"))
        return JSON.parse(heard().slice(dialMarker.length))
      })
      for (const type of ["StopWorker", "Shutdown", "RestartWorker"]) {
        const answer = yield* asked(JSON.stringify({ type }))
        assert.deepInclude(answer, { success: false, code: "access_denied" })
      }
      assert.deepInclude(yield* asked('{"type":"Status"} {"type":"StopWorker"}'), {
        success: true,
        message: "Worker is running"
      })
      const { data } = yield* daemon.ask({ type: "Status" })
      assert.deepInclude(data, { worker_status: "running", total_restarts: 0 })
    })
  )
})
