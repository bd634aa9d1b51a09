import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { freePort, httpReceiver } from "../../fixtures/LocalServer.ts"
import { command, eventually, killForSure, processesWith, startDaemon, temporaryHome } from "../TestDaemon.ts"

/** The relays that a home's daemon has started. */
const relaysOf = (home: string): ReadonlyArray<number> => {
  const ofHome = new Set(processesWith(`AUTOPILOT_HOME=${home}\0`))
  return processesWith("AUTOPILOTD_RELAY=").filter((pid) => ofHome.has(pid))
}

const oneRelay = (home: string, but?: number) =>
  eventually("one relay runs", () => {
    const [pid, ...others] = relaysOf(home).filter((one) => one !== but)
    return others.length === 0 ? pid : undefined
  })

const scoreOf = (pid: number) => Number(fs.readFileSync(`/proc/${pid}/oom_score_adj`, "utf8"))

describe("the relay", () => {
  it.scopedLive("runs beside the daemon from the reload that needs it until the daemon is gone", () =>
    Effect.gen(function* () {
      const { received, url } = yield* httpReceiver()
      const daemon = yield* startDaemon({
        args: ["--project", "shop"],
        worker: ["/bin/sleep", "1000"],
        settings: "",
        env: { AUTOPILOT_WORKER_ID: "another:shop:1" }
      })
      const { home, logged, pid, status } = daemon
      assert.deepStrictEqual(relaysOf(home), [])
      const nothing = yield* command({ home, args: ["relay"] })
      assert.strictEqual(nothing.code, 1)
      assert.match(
        nothing.stderr,
        /The relay has nothing to do: .*daemon\.toml sets none of heartbeat\.url_file/
      )

      fs.writeFileSync(join(home, "url"), `${url}/api/push/s3cr3t\n`)
      const port = yield* freePort
      fs.writeFileSync(
        join(home, "daemon.toml"),
        `[heartbeat]\nurl_file = "url"\ninterval_ms = 1000\n[metrics]\nlisten = "127.0.0.1:${port}"\n`
      )
      yield* command({ home, args: ["reload"] })
      const first = yield* oneRelay(home)
      yield* eventually("the service is called", () =>
        received.find(({ path }) => path === "/api/push/s3cr3t?status=up&msg=OK")
      )
      const scrape = yield* eventually(
        "the endpoint answers",
        Effect.tryPromise(async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text())
      )
      assert.match(scrape, /^autopilotd_up 1$/m)
      assert.match(scrape, /^autopilotd_worker_state\{project="shop",state="running"\} 1$/m)
      assert.isAtLeast(scoreOf(first), scoreOf(pid))
      assert.notInclude(processesWith("AUTOPILOT_WORKER_ID="), first)
      const second = yield* command({ home, args: ["relay"] })
      assert.strictEqual(second.code, 1)
      assert.include(second.stderr, `A relay of ${home} is running already`)

      killForSure(first)
      yield* status("the relay is degraded", ({ degraded }) => degraded?.join() === "relay")
      yield* logged(/The relay ended \(killed by SIGKILL\); it starts again in 1 second/)
      yield* oneRelay(home, first)
      assert.strictEqual((yield* status("it answers", () => true)).worker_status, "running")

      const before = received.length
      yield* eventually("the next relay calls the service", () => received.length > before)
      fs.writeFileSync(join(home, "url"), "ftp://s3cr3t\n")
      yield* logged(/The heartbeat of the relay fails: .*url has no URL in its first line/)
      assert.notInclude(fs.readFileSync(join(home, "history.jsonl"), "utf8"), "s3cr3t")

      killForSure(pid)
      yield* eventually("the relay ends with the daemon", () => relaysOf(home).length === 0)
      yield* command({ home, args: ["stop"] })
    })
  )

  it.scopedLive("is ended by a daemon that stops", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const settings = '[heartbeat]\nurl_file = "url"\n'
      yield* startDaemon({ home, settings, worker: ["/bin/sleep", "1000"] })
      yield* oneRelay(home)
      yield* command({ home, args: ["stop"] })
      assert.deepStrictEqual(relaysOf(home), [])
    })
  )
})
