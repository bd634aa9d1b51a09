import * as fs from "node:fs"
import { delimiter, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually, startDaemon, temporaryHome } from "../TestDaemon.ts"

/** Writes the delays of all timers that are set into a file, ten times a second. */
const timerWatch = `
const fs = require("node:fs")
const set = new Map()
for (const kind of ["Timeout", "Interval"]) {
  const begin = globalThis["set" + kind]
  const end = globalThis["clear" + kind]
  if (kind === "Interval")
    begin(() => fs.appendFileSync(process.env.TIMERS, JSON.stringify([...set.values()].sort()) + "\\n"), 100).unref()
  globalThis["set" + kind] = (act, ms = 0, ...args) => {
    const timer = begin(() => {
      if (kind === "Timeout") set.delete(timer)
      act(...args)
    }, ms)
    set.set(timer, ms)
    return timer
  }
  globalThis["clear" + kind] = (timer) => {
    set.delete(timer)
    end(timer)
  }
}
`

/** Among the rarer ones: what is done once a minute, once a day, and once after a minute of a run. */
const rareMs = 60_000

describe("a daemon at rest with a sleeping worker", () => {
  it.scopedLive("has one timer that fires more than once a minute: that for the memory", () =>
    Effect.gen(function* () {
      // Not the daemon's home: it looks again at each change there.
      const folder = yield* temporaryHome
      const timers = join(folder, "timers")
      fs.writeFileSync(join(folder, "timers.cjs"), timerWatch)
      fs.mkdirSync(join(folder, "path"))
      const node = `#!/bin/sh\nexec '${process.execPath}' --require '${join(folder, "timers.cjs")}' "$@"\n`
      fs.writeFileSync(join(folder, "path/node"), node, { mode: 0o755 })
      const path = `${join(folder, "path")}${delimiter}${process.env["PATH"] ?? ""}`
      const daemon = yield* startDaemon({
        worker: ["sleep", "1000"],
        env: { PATH: path, TIMERS: timers }
      })
      yield* daemon.status("the worker runs", ({ worker_status }) => worker_status === "running")
      // Two seconds in a row: a timer that comes back is there in between.
      const isAtRest = () => {
        const last = fs.readFileSync(timers, "utf8").trim().split("\n").slice(-20)
        const seen = last.map((line) =>
          (JSON.parse(line) as ReadonlyArray<number>).filter((ms) => ms < rareMs)
        )
        return last.length === 20 && seen.every((set) => set.length === 1) ? seen : undefined
      }
      assert.isDefined(yield* eventually("only that timer is set", isAtRest))
    })
  )
})
