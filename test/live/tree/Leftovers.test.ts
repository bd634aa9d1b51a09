import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  command,
  eventually,
  fixture,
  isAlive,
  killForSure,
  startDaemon,
  type TestDaemon,
  temporaryHome,
  workersOf
} from "../TestDaemon.ts"
import { alive, longGrace, shortGrace, treeNames, treeUp } from "./GrownTree.ts"

/** Somebody else's process, in a session of its own. */
const bystander = (env: Readonly<Record<string, string>> = {}) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn("/bin/sleep", ["1000000"], {
        stdio: "ignore",
        detached: true,
        env: { PATH: "/usr/bin:/bin", ...env }
      })
      return child.pid ?? 0
    }),
    (pid) => Effect.sync(() => killForSure(pid))
  )

describe("the leftovers of a killed daemon", () => {
  it.scopedLive(
    "are killed by `autopilotd start` before a new worker runs, with and without --keep-state (D9)",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const worker = [fixture("looks-around.sh")]
        const up = (daemon: TestDaemon) =>
          eventually(
            "its worker is up",
            // The start is logged a moment after it.
            Effect.sync(
              () =>
                (daemon.stdout().includes("up ") &&
                  workersOf(home).length === 2 &&
                  daemon.stderr().includes("Worker started")) ||
                undefined
            )
          )
        let daemon = yield* startDaemon({ home, worker, settings: shortGrace })
        yield* up(daemon)
        assert.include(daemon.stdout(), "others alive: none")
        for (const args of [[], ["--keep-state"]]) {
          const left = workersOf(home)
          daemon.child.kill("SIGKILL")
          yield* daemon.ended
          assert.deepStrictEqual(alive(left), left)

          daemon = yield* startDaemon({ home, worker, args })
          yield* up(daemon)
          assert.strictEqual(fs.readFileSync(join(home, "autopilotd.pid"), "utf8"), String(daemon.pid))
          assert.include(daemon.stdout(), "others alive: none")
          assert.deepStrictEqual(alive(left), [])
          const ended = /Killed 2 processes \(pid .*\) left over from an earlier worker/
          assert.match(daemon.stderr(), ended)
          assert.isBelow(daemon.stderr().search(ended), daemon.stderr().indexOf("Worker started"))
        }
      })
  )

  it.scopedLive("are killed also when the leader is dead and one process of its session is left", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const first = yield* startDaemon({ home, worker: [fixture("grows-a-tree.sh")], settings: shortGrace })
      const tree = yield* treeUp(first, 1, treeNames)
      first.child.kill("SIGKILL")
      yield* first.ended
      process.kill(tree.get("leader") ?? 0, "SIGKILL")
      const second = yield* startDaemon({ home, worker: [fixture("sleeps.sh")] })
      yield* second.status("the new one runs", (data) => data.worker_status === "running")
      assert.deepStrictEqual(alive(tree.values()), [])
    })
  )

  it.scopedLive(
    "are killed also without their environment, and waited for where the daemon may not kill them",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        // Root may signal and inspect everybody: this daemon is like that of a user.
        const entrance = ["setpriv", "--bounding-set=-kill,-sys_ptrace", "--inh-caps=-kill,-sys_ptrace"]
        // The agent runs without an environment, and has started a program of another user.
        const asNobody = "setpriv --reuid=65534 --clear-groups sleep 1000000 & echo foreign $!"
        const worker = ["/bin/sh", "-c", `${asNobody}; exec env -i sleep 1000000`]
        const first = yield* startDaemon({ home, worker, settings: shortGrace, entrance })
        const { worker_pid } = yield* first.status("it runs", (data) => data.worker_status === "running")
        const leader = worker_pid ?? 0
        const foreign = yield* eventually("its other program runs as another user", () => {
          const pid = Number(/foreign ([0-9]+)/.exec(first.stdout())?.[1])
          return Number.isInteger(pid) && fs.statSync(`/proc/${pid}`).uid === 65534 ? pid : undefined
        })
        yield* Effect.addFinalizer(() => Effect.sync(() => [leader, foreign].forEach(killForSure)))
        yield* eventually("the environment of the agent is gone", () =>
          workersOf(home).every((pid) => pid === foreign)
        )
        const remedy = `pid ${foreign} belongs to nobody, whose processes this daemon may not kill (run: sudo kill ${foreign})`
        first.child.kill("SIGKILL")
        yield* first.ended
        const second = yield* startDaemon({ home, worker, entrance })
        const waiting = yield* second.status("it waits", (data) => data.worker_status === "waiting")
        assert.include(waiting.reason ?? "", remedy)
        assert.deepStrictEqual(alive([leader, foreign]), [foreign])
        second.child.kill("SIGKILL")
        yield* second.ended
        const third = yield* startDaemon({ home, worker, entrance })
        const stillWaiting = yield* third.status("it waits again", (data) => data.worker_status === "waiting")
        assert.include(stillWaiting.reason ?? "", remedy)
        const stopped = yield* command({ home, args: ["stop"] })
        assert.strictEqual(stopped.code, 1)
        assert.match(stopped.stderr, /^autopilotd: The daemon stopped, but left \d+ process/)
        assert.include(stopped.stderr, ` of its workers behind: ${remedy}.`)
      })
  )

  it.scopedLive("lose their grace period at a second signal", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const worker = [fixture("looks-around.sh")]
      const first = yield* startDaemon({ home, worker, settings: longGrace })
      yield* eventually(
        "its worker is up",
        () => first.stdout().includes("up ") && workersOf(home).length === 2
      )
      const left = workersOf(home)
      first.child.kill("SIGKILL")
      yield* first.ended
      const second = yield* startDaemon({ home, worker })
      yield* second.status("it sweeps", (data) => data.worker_status === "starting")
      second.child.kill("SIGTERM")
      yield* second.status("it is stopping", (data) => data.worker_status === "stopping")
      second.child.kill("SIGINT")
      assert.deepStrictEqual(yield* second.ended, { code: 0, signal: null })
      assert.deepStrictEqual(alive(left), [])
    })
  )

  it.scopedLive("are killed by `autopilotd start --keep-state` also when the worker was stopping", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const worker = [fixture("ignores-term.sh")]
      const first = yield* startDaemon({ home, worker, settings: longGrace })
      yield* eventually("it is deaf", () => first.stdout().includes("up"))
      yield* first.ask({ type: "StopWorker" })
      yield* first.status("it is being stopped", (data) => data.worker_status === "stopping")
      first.child.kill("SIGKILL")
      yield* first.ended
      fs.writeFileSync(join(home, "daemon.toml"), shortGrace)
      const second = yield* startDaemon({ home, worker, args: ["--keep-state"] })
      yield* second.status("it stays stopped", (data) => data.worker_status === "stopped")
      yield* eventually("nothing is left", () => workersOf(home).length === 0)
    })
  )
})

describe("a process of no worker", () => {
  it.scopedLive(
    "is never touched: another home's worker, a process without our mark or with a similar one, a person's shell",
    () =>
      Effect.gen(function* () {
        const neighbour = yield* startDaemon({ worker: [fixture("grows-a-tree.sh")] })
        const tree = yield* treeUp(neighbour, 1, treeNames)
        const home = yield* temporaryHome
        const worker = [fixture("grows-a-tree.sh")]
        const first = yield* startDaemon({ home, worker, settings: shortGrace })
        yield* treeUp(first, 1, treeNames)
        const homeId = fs.readFileSync(join(home, "id"), "utf8").trim()
        const strangers = yield* Effect.all([
          bystander(),
          bystander({ AUTOPILOT_WORKER_ID: `${homeId}x:default:1` }),
          bystander({ OTHER_AUTOPILOT_WORKER_ID: `${homeId}:default:1` }),
          bystander({ AUTOPILOTD_SUPERVISED: "1" })
        ])
        const marked = yield* bystander({ AUTOPILOT_WORKER_ID: `${homeId}:default:1` })
        // A person took the mark over for one command, which alone is the worker's.
        const shell = yield* Effect.acquireRelease(
          Effect.sync(() =>
            spawn(
              "/bin/sh",
              ["-c", `AUTOPILOT_WORKER_ID=${homeId}:default:1 sleep 1000000 & echo $!; sleep 1000000 & wait`],
              { stdio: ["ignore", "pipe", "ignore"], detached: true, env: { PATH: "/usr/bin:/bin" } }
            )
          ),
          ({ pid }) => Effect.sync(() => killForSure(-(pid ?? 0)))
        )
        const borrowed = yield* Effect.async<number>((resume) => {
          shell.stdout.once("data", (text: Buffer) => resume(Effect.succeed(Number(text.toString()))))
        })
        yield* eventually("the command carries the mark", () => workersOf(home).includes(borrowed))
        first.child.kill("SIGKILL")
        yield* first.ended
        const second = yield* startDaemon({ home, worker })
        yield* treeUp(second, 1, treeNames)
        assert.isFalse(isAlive(marked))
        assert.isFalse(isAlive(borrowed))
        yield* command({ home, args: ["restart-worker"] })
        yield* command({ home, args: ["stop"] })
        assert.deepStrictEqual(workersOf(home), [])
        assert.deepStrictEqual(alive(tree.values()), [...tree.values()])
        assert.deepStrictEqual(alive(strangers), strangers)
        assert.isTrue(isAlive(shell.pid ?? 0))
        const status = yield* neighbour.status("it runs", (data) => data.worker_status === "running")
        assert.strictEqual(status.total_restarts, 0)
      })
  )
})
