import { execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually, exchange, fixture, run, startDaemon, temporaryHome } from "../TestDaemon.ts"

const residentOf = (pid: number): number =>
  Number(/^Rss: +(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1])

/** Makes a formatter of dates note that it was made. */
const noting = `
const { DateTimeFormat } = Intl
Intl.DateTimeFormat = new Proxy(DateTimeFormat, {
  apply: (...of) => noted(Reflect.apply(...of)),
  construct: (...of) => noted(Reflect.construct(...of))
})
const noted = (made) => {
  require("node:fs").writeFileSync(process.env.AUTOPILOT_HOME + "/formatted", "")
  return made
}`

/** Elsewhere only Intl knows the zone of the machine. */
const zoneIsLink = fs.lstatSync("/etc/localtime", { throwIfNoEntry: false })?.isSymbolicLink() === true

describe("an idle daemon", () => {
  it.scopedLive("holds at most 1.55 times the memory of a Node that starts the same worker", () =>
    Effect.gen(function* () {
      const bare = yield* Effect.acquireRelease(
        Effect.sync(() =>
          spawn(
            process.execPath,
            [resolve(import.meta.dirname, "../../../bench/floor/respawn.mjs"), "0", fixture("sleeps.sh"), ""],
            { stdio: "ignore", env: { PATH: process.env["PATH"] } }
          )
        ),
        (child) => Effect.sync(() => void child.kill())
      )
      const daemon = yield* startDaemon({ worker: [fixture("sleeps.sh")] })
      const pid = bare.pid ?? 0
      // The garbage of a start goes when V8 finds time.
      const ratio = yield* eventually(
        "the daemon holds less than 1.55 times the memory of a bare Node",
        Effect.sync(() => {
          const found = residentOf(daemon.pid) / residentOf(pid)
          return found < 1.55 ? found : undefined
        })
      )
      assert.isAbove(ratio, 1)
    })
  )

  it.scopedLive(
    "makes no formatter of dates, which costs 8 MiB, also not at a restart of its worker",
    ({ skip }) =>
      Effect.gen(function* () {
        if (!zoneIsLink) skip("/etc/localtime is no link to a zone")
        const bundle = resolve(import.meta.dirname, "../../../dist/autopilotd.js")
        const home = yield* temporaryHome
        const preload = join(home, "noting.cjs")
        fs.writeFileSync(preload, noting)
        const daemon = yield* run({
          home,
          command: process.execPath,
          args: ["--require", preload, bundle, "start", "--", fixture("sleeps.sh")],
          env: { TZ: undefined }
        })
        const worker = (before?: number) =>
          eventually(
            "a worker runs",
            Effect.map(exchange(home, { type: "Status" }), (answer) => {
              const pid: unknown = JSON.parse(answer).data?.worker_pid
              return typeof pid === "number" && pid !== before ? pid : undefined
            }).pipe(Effect.orElseSucceed(() => undefined))
          )
        const hasFormatted = () => fs.existsSync(join(home, "formatted"))
        const first = yield* worker()
        process.kill(first, "SIGKILL")
        yield* worker(first)
        assert.isFalse(hasFormatted())
        daemon.child.kill("SIGTERM")
        yield* daemon.ended
        // What is looked for can be there.
        execFileSync(process.execPath, ["--require", preload, "-e", "new Intl.DateTimeFormat()"], {
          env: { AUTOPILOT_HOME: home }
        })
        assert.isTrue(hasFormatted())
      })
  )
})
