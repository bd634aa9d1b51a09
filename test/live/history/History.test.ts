import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { historyOf, readHistory } from "../../fixtures/HistoryWorld.ts"
import { command, eventually, killForSure, startDaemon, temporaryHome } from "../TestDaemon.ts"

/** A worker that is done at once, and is started again at once. */
const restless = '[restart]\npolicy = "always"\nsuccess_threshold_ms = 0\n'

const said = (home: string, ...args: ReadonlyArray<string>) =>
  Effect.map(command({ home, args }), ({ code, stderr, stdout }) => {
    assert.deepStrictEqual([code, stderr], [0, ""])
    return stdout
  })

const tagsIn = (home: string) =>
  Effect.map(readHistory(home), ({ records }) => records.map(({ _tag }) => _tag))

describe("the history", () => {
  it.scopedLive("is shown while the daemon runs and after its exit, as is why", () =>
    Effect.gen(function* () {
      const daemon = yield* startDaemon({
        args: ["--project", "shop"],
        settings: "[restart]\ninitial_backoff_ms = 50\nmax_consecutive_restarts = 3\n",
        worker: ["/bin/sh", "-c", "echo 'no such table: orders' >&2; exit 3"]
      })
      const { home } = daemon
      yield* daemon.status("given up", ({ worker_status }) => worker_status === "failed")
      yield* eventually(
        "the end is in the history",
        Effect.map(tagsIn(home), (tags) => (tags.includes("GaveUp") ? true : undefined))
      )
      const table = yield* said(home, "history")
      assert.match(table, /^TIME +WHAT +RAN +(PEAK +)?REASON\n/)
      assert.lengthOf([...table.matchAll(/ {2}exited .*exit code 3/g)], 3)
      assert.match(table, /\nThe worker of shop has restarted 2 times today: .*exit code 3/)

      const why = yield* said(home, "why")
      assert.match(why, /^The worker of shop has failed and stays so until you act: 3 failures in a row/)
      assert.include(why, "no such table: orders")
      assert.match(why, /\nWhat you can do:\n(.*\n)*.*autopilotd start-worker/)

      const answer = yield* daemon.ask({ type: "History", limit: 1 })
      assert.deepInclude(answer, { success: true, message: "1 event" })

      yield* said(home, "stop")
      assert.strictEqual((yield* tagsIn(home)).at(-1), "DaemonStopped")
      assert.match(
        yield* said(home, "why"),
        /^No daemon is running\.\nThe last one stopped cleanly at .*\nLast event of shop/
      )
      const { data } = JSON.parse(yield* said(home, "history", "--json", "-n", "1000"))
      assert.strictEqual(data.restarts[0].restarts, 2)
      assert.deepStrictEqual(
        data.records.map(({ seq }: { readonly seq: number }) => seq),
        data.records.map((_: unknown, n: number) => n)
      )
    })
  )

  it.scopedLive("keeps the memory samples of earlier daemons, after a stop and after a kill", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      // What another program has left there is no reason not to start.
      fs.writeFileSync(join(home, "samples"), "no timeline")
      const samplesOf = (daemon: { readonly ask: (request: object) => Effect.Effect<object> }) =>
        Effect.map(daemon.ask({ type: "Samples" }), (answer) =>
          "data" in answer ? (answer.data as { readonly at_ms: ReadonlyArray<number> }).at_ms : []
        )
      const start = startDaemon({ home, settings: restless, worker: ["/bin/sleep", "1000"] })
      const first = yield* start
      const [firstMs] = yield* eventually(
        "the first sample",
        Effect.map(samplesOf(first), (times) => (times.length > 0 ? times : undefined))
      )
      assert.strictEqual(fs.readFileSync(join(home, "samples.unreadable"), "utf8"), "no timeline")
      yield* said(home, "stop")
      const second = yield* start
      const isKept = (daemon: typeof second) =>
        eventually(
          "the samples of the daemon before",
          Effect.map(samplesOf(daemon), (times) => (times[0] === firstMs ? true : undefined))
        )
      yield* isKept(second)
      killForSure(Number(fs.readFileSync(join(home, "autopilotd.pid"), "utf8")))
      yield* second.ended
      yield* isKept(yield* start)
    })
  )

  it.scopedLive("is complete after repeated kills of a busy daemon", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const kills = 3
      let before: ReadonlyArray<unknown> = []
      for (let n = 0; n < kills; n++) {
        const daemon = yield* startDaemon({ home, settings: restless, worker: ["/bin/true"] })
        yield* eventually("its sign of life", () => {
          const file = join(home, "autopilotd.alive")
          // The daemon answers before it writes the file.
          return (fs.existsSync(file) && fs.readFileSync(file, "utf8") === `${daemon.pid}\n`) || undefined
        })
        yield* eventually(
          "its beginning is in the history",
          Effect.map(tagsIn(home), (tags) =>
            tags.filter((tag) => tag === "DaemonStarted").length === n + 1 ? true : undefined
          )
        )
        yield* Effect.sleep(Math.random() * 300)
        killForSure(Number(fs.readFileSync(join(home, "autopilotd.pid"), "utf8")))
        yield* daemon.ended
        const { damaged, records } = yield* readHistory(home)
        assert.strictEqual(damaged, 0)
        assert.deepStrictEqual(records.slice(0, before.length), before)
        const own = records.slice(before.length)
        // A whole line that lacked only its newline belongs to the run before, and was there then.
        assert.deepStrictEqual(
          own.map(({ seq }) => seq),
          own.map((_, at) => at)
        )
        assert.include(yield* said(home, "why"), "disappeared")
        assert.strictEqual(
          records.filter(({ _tag }) => _tag === "DaemonVanished").length,
          n,
          "the next daemon records the death of the one before"
        )
        before = records
      }
      // As after a quiet minute: no event, but a sign of life.
      const now = new Date()
      fs.utimesSync(join(home, "autopilotd.alive"), now, now)
      assert.include(yield* said(home, "why"), "disappeared: its last sign of life is from")
      yield* startDaemon({ home, worker: ["/bin/true"] })
      yield* said(home, "stop")
      assert.isFalse(fs.existsSync(join(home, "autopilotd.alive")))
      assert.notInclude(yield* said(home, "why"), "disappeared")
    })
  )

  it.scopedLive("takes no more of the disk than the settings allow", () =>
    Effect.gen(function* () {
      const daemon = yield* startDaemon({
        settings: `${restless}[history]\nmax_bytes = 65536\n`,
        worker: ["/bin/true"]
      })
      const path = historyOf(daemon.home)
      yield* eventually("a second file", () => fs.existsSync(`${path}.1`))
      yield* said(daemon.home, "stop")
      for (const each of [path, `${path}.1`]) assert.isAtMost(fs.statSync(each).size, 65_536)
    })
  )
})
