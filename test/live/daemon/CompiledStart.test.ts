import * as fs from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually, exchange, fixture, run, startDaemon, temporaryHome } from "../TestDaemon.ts"

const bundle = resolve(import.meta.dirname, "../../../dist/autopilotd.js")

/** Makes the daemon write at its end how its memory was collected. */
const noting = `
const { GCProfiler } = require("node:v8")
const profiler = new GCProfiler()
profiler.start()
process.on("exit", () => {
  const collections = profiler.stop().statistics.map((one) => one.gcType)
  require("node:fs").writeFileSync(process.env.AUTOPILOT_HOME + "/collected", JSON.stringify(collections))
})
`

describe("a daemon", () => {
  it.scopedLive("saves its compiled program for the next start, which supervises with it", () =>
    Effect.gen(function* () {
      const caches = yield* temporaryHome
      const code = join(caches, "autopilotd/daemon.code")
      const start = startDaemon({ worker: [fixture("sleeps.sh")], env: { XDG_CACHE_HOME: caches } })
      const stop = Effect.fnUntraced(function* ({
        child,
        ended,
        status,
        stderr
      }: Effect.Effect.Success<typeof start>) {
        yield* status("its worker runs", ({ worker_status }) => worker_status === "running")
        child.kill("SIGTERM")
        assert.deepStrictEqual(yield* ended, { code: 0, signal: null })
        assert.notMatch(stderr(), /\n\s+at /)
      })
      const first = yield* start
      yield* eventually(
        "the code is saved",
        Effect.sync(() => fs.existsSync(code) || undefined)
      )
      yield* stop(first)
      assert.strictEqual(fs.statSync(code).mode & 0o777, 0o600)
      yield* stop(yield* start)
    })
  )

  it.scopedLive("answers before V8 collects all of its memory: hardly anything of a start is garbage", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const preload = join(home, "noting.cjs")
      fs.writeFileSync(preload, noting)
      const daemon = yield* run({
        home,
        command: process.execPath,
        args: ["--require", preload, bundle, "start", "--", fixture("sleeps.sh")]
      })
      yield* eventually(
        "the daemon answers",
        Effect.orElseSucceed(exchange(home, { type: "Status" }), () => undefined)
      )
      daemon.child.kill("SIGTERM")
      yield* daemon.ended
      const collections = JSON.parse(fs.readFileSync(join(home, "collected"), "utf8"))
      assert.include(collections, "Scavenge")
      assert.notInclude(collections, "MarkSweepCompact")
    })
  )
})
