import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { noSmallDisk, unlessMissing } from "../../fixtures/Missing.ts"
import { assertSupervised, onSmallDisk } from "../daemon/OtherStarts.ts"
import { command, eventually, fixture, temporaryHome } from "../TestDaemon.ts"

const mebibyte = 2 ** 20

describe("a disk that becomes full", () => {
  unlessMissing(noSmallDisk)(
    "is not filled by a worker's log; an event reports the pause, and another one its end",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const freeMebibytes = 24
        fs.writeFileSync(
          join(home, "daemon.toml"),
          `[log]\nmin_free_bytes = ${freeMebibytes * mebibyte}\nfiles = 100\n[restart]\ninitial_backoff_ms = 50\n`
        )
        const over = join(home, "over")
        const worker = [fixture("floods.mjs"), "100", "40", over]
        const { daemon, isTold, resize, told } = yield* onSmallDisk(home, 48, worker)
        yield* isTold(
          /The worker's log cannot be written, the worker keeps running: only .+ are free on its disk, and log\.min_free_bytes keeps 24 MiB free\n/
        )
        // Whoever reads the daemon's output is slow, and what the worker says there is more than waits for it.
        daemon.stderr.pause()
        yield* eventually("the worker was not held up", () => fs.existsSync(over))
        yield* assertSupervised(home)
        const disk = fs.statfsSync(`/proc/${daemon.pid}/root${home}/logs`)
        // It is looked at every 8 MiB, and one piece may be on its way.
        assert.isAbove(disk.bavail * disk.bsize, (freeMebibytes - 9) * mebibyte)
        assert.lengthOf(told().match(/cannot be written/g) ?? [], 1)
        resize(400)
        yield* eventually("the log is written again", () => {
          const log = fs.readFileSync(`/proc/${daemon.pid}/root${home}/logs/autopilotd.log`, "latin1")
          return /is writable again/.test(log) || undefined
        })
        daemon.stderr.resume()
        yield* isTold(/The worker's log is writable again\n/)
        yield* isTold(/Dropped [0-9]+ lines of the worker's output: /)
        assert.lengthOf(told().match(/cannot be written/g) ?? [], 1)
        const stop = yield* command({ home, args: ["stop"] })
        assert.strictEqual(stop.stdout, "Daemon stopped\n", stop.stderr)
      })
  )
})
