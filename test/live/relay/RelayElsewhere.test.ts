import * as fs from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { fakeSsh } from "../../fixtures/FakeSsh.ts"
import { freePort } from "../../fixtures/LocalServer.ts"
import {
  command,
  eventually,
  fixture,
  killForSure,
  launcher,
  run,
  startDaemon,
  temporaryHome
} from "../TestDaemon.ts"

/** A machine whose only channel writes each notification into a file. */
const laptop = Effect.fnUntraced(function* (hosts: string, more = "") {
  const home = yield* temporaryHome
  const told = join(home, "told")
  const hook = join(home, "hook.sh")
  fs.writeFileSync(
    hook,
    `#!/bin/sh\necho "$AUTOPILOTD_MACHINE: $AUTOPILOTD_TITLE" >>${told}\ncat >/dev/null\n`,
    {
      mode: 0o755
    }
  )
  fs.writeFileSync(join(home, "hosts.toml"), hosts, { mode: 0o600 })
  fs.writeFileSync(
    join(home, "daemon.toml"),
    `${more}[notify]\nkinds = ["failed", "daemon", "done"]\n[notify.to.file]\ntype = "command"\nargv = ["${hook}"]\n`,
    { mode: 0o600 }
  )
  const env = { PATH: [dirname(launcher), fakeSsh(home)].join(delimiter) }
  const hears = (pattern: RegExp) =>
    eventually(`${pattern} was told`, () =>
      fs.existsSync(told) ? (pattern.exec(fs.readFileSync(told, "utf8"))?.[0] ?? undefined) : undefined
    )
  const lines = () => fs.readFileSync(told, "utf8").trim().split("\n")
  return { home, env, hears, lines }
})

const says = (relay: { readonly stdout: () => string }, pattern: RegExp) =>
  eventually(`it says ${pattern}`, () => pattern.exec(relay.stdout())?.[0])

describe("autopilotd relay --host", () => {
  it.scopedLive("tells here what happens there, each event once, and what has happened in between", () =>
    Effect.gen(function* () {
      const settings = 'worker_command = { type = "Command", argv = ["/bin/true"] }\nautostart = false\n'
      const box = yield* startDaemon({ settings, args: ["--project", "shop"] })
      const { env, hears, home, lines } = yield* laptop(`[hosts.box]\nhome = "${box.home}"\n`)
      const args = ["relay", "--host", "box"]
      const first = yield* run({ home, env, args })
      yield* says(first, /^The relay of host box sends notifications to file\./m)
      yield* says(first, /connection: works/)
      const second = yield* command({ home, env, args })
      assert.strictEqual(second.code, 1)
      assert.include(second.stderr, "A relay of host box is running already")
      yield* box.ask({ type: "StartWorker" })
      yield* hears(/^box: shop .*$/m)
      const before = lines().length
      const state = join(home, "notify-box.json")
      yield* eventually("it is on the disk that all was sent", () => {
        const { file } = JSON.parse(fs.readFileSync(state, "utf8")).channels
        return file.lastSuccessMs !== undefined && file.waiting.length === 0 ? true : undefined
      })
      killForSure(first.pid)
      yield* first.ended

      yield* box.status("it is stopped", ({ worker_status }) => worker_status === "stopped")
      yield* box.ask({ type: "StartWorker" })
      const third = yield* run({ home, env, args })
      yield* says(third, /connection: works/)
      yield* eventually("the second one is told", () => lines().length > before)
      killForSure(box.pid)
      yield* hears(/^box: .*(vanished|daemon).*$/im)
      assert.lengthOf(
        lines().filter((line) => line.includes("shop")),
        2
      )
      assert.isFalse(fs.existsSync(join(home, "notify.json")))
    })
  )

  it.scopedLive(
    "serves the metrics of that machine on a port of this one, and nothing else of this one",
    () =>
      Effect.gen(function* () {
        const box = yield* startDaemon({ args: ["--project", "shop"], worker: [fixture("sleeps.sh")] })
        yield* box.status("it runs", ({ worker_status }) => worker_status === "running")
        const { env, home } = yield* laptop(
          `[hosts.box]\nhome = "${box.home}"\n[hosts.dead]\n`,
          '[heartbeat]\nurl_file = "/none"\n'
        )
        const port = yield* freePort
        const relay = yield* run({
          home,
          env,
          args: ["relay", "--host", "box", "--metrics-port", String(port)]
        })
        yield* says(relay, /serves \/metrics, \/healthz and \/readyz on 127\.0\.0\.1, port \d+/)
        assert.notInclude(relay.stdout(), "heartbeat")
        const text = yield* eventually(
          "a scrape",
          Effect.promise(async () => {
            const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined)
            const body = (await answer?.text()) ?? ""
            return body.includes("autopilotd_up 1") ? body : undefined
          })
        )
        assert.include(text, 'autopilotd_worker_state{project="shop",state="running"} 1')
        const dead = yield* run({ home, env, args: ["relay", "--host=dead"] })
        yield* says(dead, /connection: fails: Host dead cannot be reached/)
        const needless = yield* command({ home, env, args: ["relay", "--metrics-port", "1"] })
        assert.strictEqual(needless.code, 2)
        assert.include(needless.stderr, "relay takes --metrics-port only with --host")
      })
  )
})
