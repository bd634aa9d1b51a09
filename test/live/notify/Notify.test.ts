import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { command, eventually, killForSure, startDaemon, temporaryHome } from "../TestDaemon.ts"

const settings = `
project = "shop"

[restart]
initial_backoff_ms = 50
max_consecutive_restarts = 3

[notify.to.hook]
type = "command"
argv = ["/bin/sh", "-c", 'printf "%s|%s\\n" "$AUTOPILOTD_EVENT" "$AUTOPILOTD_TITLE" >>"$AUTOPILOT_HOME/told"']

[notify.to.dead]
type = "webhook"
url = "http://127.0.0.1:1/s3cr3t-path"
`

describe("notifications", () => {
  it.scopedLive("tell a crash loop in two messages, and once that the daemon was killed", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const path = (name: string) => join(home, name)
      const told = () =>
        fs.existsSync(path("told")) ? fs.readFileSync(path("told"), "utf8").trim().split("\n") : []
      const tells = (line: string, times = 1) =>
        eventually(`${line} is told`, () => told().filter((one) => one === line).length === times)
      const start = {
        home,
        settings,
        worker: ["/bin/sh", "-c", `until test -e ${path("go")}; do sleep 0.1; done; echo boom; exit 1`]
      }
      const { logged, pid } = yield* startDaemon(start)
      yield* eventually("the notifier runs", () => fs.existsSync(path("notify.json")))
      const test = yield* command({ home, args: ["notify", "test", "hook"] })
      assert.deepStrictEqual([test.code, test.stdout], [0, "hook (command) has taken the test.\n"])
      fs.writeFileSync(path("go"), "")
      yield* tells("failed|shop has failed")
      assert.deepStrictEqual(told(), [
        "test|autopilotd can reach you",
        "crash|shop has crashed",
        "failed|shop has failed"
      ])

      yield* logged(
        /The notify\.to\.dead of the relay fails: it could not be reached: the receiver refuses connections/
      )
      const list = yield* command({ home, args: ["notify", "list", "--json"] })
      const { channels } = JSON.parse(list.stdout).data
      assert.deepStrictEqual(
        channels.map(({ name, waiting }: { name: string; waiting: number }) => [name, waiting]),
        [
          ["hook", 0],
          ["dead", 2]
        ]
      )
      assert.match(channels[1].failure.reason, /^could not be reached/)
      for (const name of ["notify.json", "history.jsonl", "logs/autopilotd.log"])
        assert.notInclude(fs.readFileSync(path(name), "utf8"), "s3cr3t", name)

      killForSure(pid)
      yield* tells("daemon|autopilotd has vanished")
      yield* startDaemon({ ...start, args: ["--keep-state"] })
      yield* command({ home, args: ["start-worker", "--no-wait"] })
      // The one of the new daemon follows all that this one could have told.
      yield* tells("failed|shop has failed", 2)
      assert.deepStrictEqual(
        told().filter((line) => line.startsWith("daemon")),
        ["daemon|autopilotd has vanished"]
      )
      yield* command({ home, args: ["stop"] })
    })
  )

  it.scopedLive("show their URLs and the values of env only to a user who edits the file", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const secret = `env = { TOKEN = "env-s3cr3t" }
[notify.to.hook]
type = "webhook"
url = "http://127.0.0.1:1/s3cr3t"
[notify.to.chat]
type = "command"
argv = ["/bin/false", "https://s3cr3t.example"]
`
      yield* startDaemon({ home, settings: secret, worker: ["/bin/sleep", "1000"] })
      const said: Array<string> = []
      const run = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
        const { stderr, stdout } = yield* command({ home, args })
        assert.notInclude(stdout + stderr, "s3cr3t", args.join(" "))
        said.push(stdout)
      })
      for (const words of [
        "config show",
        "config check",
        "config get notify",
        "config get notify.to",
        "config get env",
        "notify test",
        "notify list",
        "status",
        "projects",
        "doctor",
        "why"
      ]) {
        yield* run(...words.split(" "))
        yield* run(...words.split(" "), "--json")
      }
      yield* run("config", "set", "notify.to.hook.url", "http://127.0.0.1:1/other-s3cr3t")
      yield* run("config", "set", "env.TOKEN", "other-s3cr3t", "--json")
      // A change that is refused quotes nothing either.
      yield* run("config", "set", "notify.to.hook.url", "ftp://s3cr3t")
      yield* run("config", "set", "notify.to.chat.argv", '"https://s3cr3t"')
      yield* run("reload")
      yield* run("history", "--json")
      yield* run("history")
      assert.include(said.join(), 'url = "********"')
      const files = fs
        .readdirSync(home, { recursive: true, withFileTypes: true })
        .filter((one) => one.isFile())
      const holders = files.filter((one) =>
        fs.readFileSync(join(one.parentPath, one.name), "utf8").includes("s3cr3t")
      )
      assert.deepStrictEqual(holders.map(({ name }) => name).toSorted(), ["daemon.toml", "daemon.toml.bak"])
      yield* command({ home, args: ["stop"] })
    })
  )
})
