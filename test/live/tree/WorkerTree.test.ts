import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { canLoseFirstThread, lostFirstThread } from "../../fixtures/LostFirstThread.ts"
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
import {
  alive,
  longBackoff,
  longGrace,
  orphanNames,
  settings,
  shortGrace,
  treeNames,
  treeUp
} from "./GrownTree.ts"

describe("a worker that ignores SIGTERM", () => {
  it.scopedLive("keeps its grace period while status answers, and a second stop kills it", () =>
    Effect.gen(function* () {
      const daemon = yield* startDaemon({ worker: [fixture("ignores-term.sh")], settings: longGrace })
      const { worker_pid } = yield* daemon.status("it runs", (data) => data.worker_status === "running")
      // Told to end before it has said that it is up, it would still obey.
      yield* eventually("it is deaf", () => daemon.stdout().includes("up"))
      yield* daemon.ask({ type: "StopWorker" })
      yield* daemon.status("it is being stopped", (data) => data.worker_status === "stopping")
      assert.isTrue(isAlive(worker_pid ?? 0))
      yield* daemon.ask({ type: "StopWorker" })
      yield* daemon.status("it is stopped", (data) => data.worker_status === "stopped")
      assert.isFalse(isAlive(worker_pid ?? 0))
    })
  )
})

describe("a worker that spreads over groups and sessions", () => {
  it.scopedLive("leaves nothing behind after a restart, a stop and the end of the daemon (D16)", () =>
    Effect.gen(function* () {
      const daemon = yield* startDaemon({ worker: [fixture("grows-a-tree.sh")], settings: shortGrace })
      const first = yield* treeUp(daemon, 1, treeNames)
      assert.deepStrictEqual(alive(first.values()), [...first.values()])

      const restarted = yield* command({ home: daemon.home, args: ["restart-worker"] })
      assert.strictEqual(restarted.code, 0, restarted.stderr)
      assert.deepStrictEqual(alive(first.values()), [])
      const second = yield* treeUp(daemon, 2, treeNames)
      assert.strictEqual(alive(second.values()).length, treeNames.length)

      const stopped = yield* command({ home: daemon.home, args: ["stop-worker"] })
      assert.strictEqual(stopped.code, 0, stopped.stderr)
      assert.deepStrictEqual(alive(second.values()), [])
      assert.deepStrictEqual(workersOf(daemon.home), [])

      const started = yield* command({ home: daemon.home, args: ["start-worker"] })
      assert.strictEqual(started.code, 0, started.stderr)
      const third = yield* treeUp(daemon, 3, treeNames)
      daemon.child.kill("SIGTERM")
      assert.deepStrictEqual(yield* daemon.ended, { code: 0, signal: null })
      assert.deepStrictEqual(alive(third.values()), [])
    })
  )

  it.scopedLive("leaves nothing behind when its leader is killed (D16)", () =>
    Effect.gen(function* () {
      const daemon = yield* startDaemon({ worker: [fixture("grows-a-tree.sh")], settings: longBackoff })
      const tree = yield* treeUp(daemon, 1, treeNames)
      process.kill(tree.get("leader") ?? 0, "SIGKILL")
      yield* daemon.status("it waits", (data) => data.worker_status === "restarting")
      assert.deepStrictEqual(alive(tree.values()), [])
    })
  )

  it.scopedLive("is killed with all its processes when SIGSTOP has stopped them", () =>
    Effect.gen(function* () {
      const daemon = yield* startDaemon({ worker: [fixture("sleeps.sh")], settings: longGrace })
      const { worker_pid } = yield* daemon.status("it runs", (data) => data.worker_status === "running")
      const pid = worker_pid ?? 0
      process.kill(pid, "SIGSTOP")
      yield* eventually("it is stopped", () => / T /.test(fs.readFileSync(`/proc/${pid}/stat`, "latin1")))
      yield* daemon.status("it counts as running", (data) => data.worker_status === "running")
      const stopped = yield* command({ home: daemon.home, args: ["stop-worker"] })
      assert.strictEqual(stopped.code, 0)
      assert.isFalse(isAlive(pid))
    })
  )
})

describe("a worker whose leader exits before its children", () => {
  const orphaned = Effect.fnUntraced(function* (settings: string) {
    const home = yield* temporaryHome
    const crash = join(home, "crash")
    const worker = [fixture("exits-before-children.sh"), crash]
    const daemon = yield* startDaemon({ home, worker, settings })
    const orphans = yield* treeUp(daemon, 1, orphanNames)
    fs.writeFileSync(crash, "")
    return { daemon, orphans }
  })

  it.scopedLive("restarts only when no child is left", () =>
    Effect.gen(function* () {
      const { daemon, orphans } = yield* orphaned(longBackoff)
      const waiting = yield* daemon.status("it waits", (data) => data.worker_status === "restarting")
      assert.match(waiting.last_exit ?? "", /^exit code 3 after /)
      assert.deepStrictEqual(alive(orphans.values()), [])
    })
  )

  it.scopedLive("stays `stopping` in status while a child ignores SIGTERM in the grace period", () =>
    Effect.gen(function* () {
      const { daemon, orphans } = yield* orphaned(longGrace)
      const stopping = yield* daemon.status("it stops", (data) => data.worker_status === "stopping")
      assert.strictEqual(stopping.worker_pid, null)
      assert.match(stopping.reason ?? "", /the daemon kills its remai/)
      yield* eventually("only the deaf one is left", () => alive(orphans.values()).length === 1)
      assert.deepStrictEqual(alive(orphans.values()), [orphans.get("deaf") ?? 0])
    })
  )
})

describe("a process that has escaped from its worker's tree in every way", () => {
  it.scopedLive("delays neither the next start nor the daemon's exit", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const escaped = join(home, "escaped")
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          for (const pid of fs.readFileSync(escaped, "utf8").trim().split("\n")) killForSure(Number(pid))
        })
      )
      const daemon = yield* startDaemon({
        home,
        worker: [fixture("escapes.sh"), escaped],
        settings: settings({ initial_backoff_ms: 50 })
      })
      yield* daemon.status("it was started again", (data) => data.total_restarts > 0)
      daemon.child.kill("SIGTERM")
      assert.deepStrictEqual(yield* daemon.ended, { code: 0, signal: null })
    })
  )
})

describe("a worker whose first thread has exited, which the kernel calls a zombie", () => {
  it.scopedLive.skipIf(!canLoseFirstThread)(
    "is killed by a restart, by a stop, and by the next daemon after a kill -9 of the daemon",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const program = lostFirstThread(home)
        const started: Array<number> = []
        yield* Effect.addFinalizer(() => Effect.sync(() => started.forEach(killForSure)))
        const up = (daemon: TestDaemon) =>
          daemon
            .status(
              "a new one runs",
              ({ worker_pid }) => worker_pid !== null && !started.includes(worker_pid) && isThere(worker_pid)
            )
            .pipe(Effect.tap(({ worker_pid }) => Effect.sync(() => started.push(worker_pid ?? 0))))
        /** Whether it waits in its second thread, or has not come so far. */
        const isThere = (pid: number) => {
          try {
            return fs.readdirSync(`/proc/${pid}/task`).length === 2
          } catch {
            return false
          }
        }
        const first = yield* startDaemon({ home, worker: [program], settings: shortGrace })
        yield* up(first)
        const restarted = yield* command({ home, args: ["restart-worker"] })
        assert.strictEqual(restarted.code, 0, restarted.stderr)
        yield* up(first)
        assert.deepStrictEqual(started.filter(isThere), [started[1]])
        first.child.kill("SIGKILL")
        yield* first.ended
        const second = yield* startDaemon({ home, worker: [program] })
        yield* up(second)
        assert.deepStrictEqual(started.filter(isThere), [started[2]])
        const stopped = yield* command({ home, args: ["stop"] })
        assert.strictEqual(stopped.code, 0, stopped.stderr)
        assert.deepStrictEqual(started.filter(isThere), [])
      })
  )
})
