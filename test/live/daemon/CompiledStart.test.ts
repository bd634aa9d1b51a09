import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually, fixture, startDaemon, temporaryHome } from "../TestDaemon.ts"

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
      yield* eventually("the code is saved", () => fs.existsSync(code))
      yield* stop(first)
      assert.strictEqual(fs.statSync(code).mode & 0o777, 0o600)
      yield* stop(yield* start)
    })
  )
})
