import * as fs from "node:fs"
import * as http from "node:http"
import { join, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { lineOf } from "../../../src/Domain/history/HistoryRecord.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { command, eventually, fixture, ownProcess, run, startDaemon, temporaryHome } from "../TestDaemon.ts"
import { startPanel } from "./TestPanel.ts"

/** A request with headers that fetch does not let anyone set. */
const ask = (origin: string, path: string, headers: Readonly<Record<string, string>>, method = "GET") =>
  Effect.async<{ readonly status: number; readonly headers: http.IncomingHttpHeaders }>((resume) => {
    const request = http.request(`${origin}${path}`, { method, headers }, (response) => {
      response.resume()
      resume(Effect.succeed({ status: response.statusCode ?? 0, headers: response.headers }))
    })
    // An upgrade that is granted.
    request.on("upgrade", (response, socket) => {
      socket.destroy()
      resume(Effect.succeed({ status: response.statusCode ?? 0, headers: response.headers }))
    })
    request.on("error", (cause) => resume(Effect.die(cause)))
    request.end()
  })

const json = (response: Response) =>
  Effect.promise(
    async (): Promise<{
      readonly success: boolean
      readonly message: string
      readonly data?: { readonly daemon_pid?: number }
    }> => JSON.parse(await response.text())
  )

const upgrade = (token: string, origin: string) => ({
  connection: "upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  "sec-websocket-protocol": `autopilotd.v1, token.${token}`,
  origin
})

describe("autopilotd gui", () => {
  it.scopedLive("shows and steers the daemon for whoever has the link, and nobody else", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const daemon = yield* startDaemon({ home, worker: [fixture("sleeps.sh")] })
      const panel = yield* startPanel({ home })
      const { origin, token } = panel

      // Everybody else.
      const refused: ReadonlyArray<readonly [string, Readonly<Record<string, string>>, number]> = [
        ["/ui/page", {}, 401],
        ["/ui/page", { "x-autopilotd-token": "wrong" }, 401],
        ["/api/daemon/status", { "x-autopilotd-token": token, host: "evil.test" }, 421],
        ["/api/daemon/status", { "x-autopilotd-token": token, origin: "http://127.0.0.1:1" }, 403],
        ["/ws", upgrade("wrong", origin), 401],
        ["/ws", upgrade(token, "http://evil.test"), 403],
        ["/nothing", { "x-autopilotd-token": token }, 404]
      ]
      for (const [path, headers, status] of refused)
        assert.strictEqual(
          (yield* ask(origin, path, headers)).status,
          status,
          `${path} ${JSON.stringify(headers)}`
        )
      assert.strictEqual(
        (yield* ask(origin, "/api/daemon/stop", { origin: "http://evil.test" }, "POST")).status,
        403
      )

      // The page.
      const shell = yield* ask(origin, "/", {})
      assert.strictEqual(shell.status, 200)
      assert.match(String(shell.headers["content-security-policy"]), /default-src 'none'/)
      // Without fonts less than 100 kB, as they are sent.
      const html = yield* Effect.flatMap(panel.fetch("/"), (response) =>
        Effect.promise(() => response.text())
      )
      const files = [...html.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path = ""]) => path)
      assert.lengthOf(files, 4)
      const sizes = yield* Effect.forEach(files, (path) =>
        Effect.map(ask(origin, path, { "accept-encoding": "gzip, br" }), ({ headers }) => {
          assert.strictEqual(headers["content-encoding"], "gzip")
          return Number(headers["content-length"])
        })
      )
      assert.isBelow(
        sizes.reduce((sum, bytes) => sum + bytes, html.length),
        50_000
      )
      const granted = yield* ask(origin, "/ws", upgrade(token, origin))
      assert.deepStrictEqual(
        [granted.status, granted.headers["sec-websocket-protocol"]],
        [101, "autopilotd.v1"]
      )
      // A plain GET of the socket's address is an error with its headers, not a crash.
      const plain = yield* ask(origin, "/ws", { "x-autopilotd-token": token })
      assert.deepStrictEqual([plain.status, plain.headers["x-content-type-options"]], [400, "nosniff"])

      // The daemon.
      const status = yield* panel.fetch("/api/daemon/status")
      assert.strictEqual((yield* json(status)).data?.daemon_pid, daemon.pid)
      const unknown = yield* panel.fetch("/api/daemon/explode", { method: "POST" })
      assert.strictEqual(unknown.status, 404)
      const stopped = yield* panel.fetch("/api/daemon/stop-worker", { method: "POST" })
      assert.isTrue((yield* json(stopped)).success)
      yield* daemon.status("its worker is stopped", (data) => data.worker_status === "stopped")
      yield* panel.fetch("/api/daemon/stop", { method: "POST" })
      assert.deepStrictEqual(yield* daemon.ended, { code: 0, signal: null })

      // No daemon: the panel goes on, and starts one.
      const absent = yield* panel.fetch("/api/daemon/status")
      assert.match((yield* json(absent)).message, /^No daemon is listening/)
      const failing = yield* panel.fetch("/api/daemon/start", { method: "POST" })
      const answer = yield* json(failing)
      // The home has no settings, and claude is not installed here: the daemon's own first error.
      assert.isString(answer.message)

      yield* command({ home, args: ["stop"] })
    })
  )

  it.scopedLive("shows a night of 5,000 events in parts of one size", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const count = 5000
      const ends = Array.from({ length: count }, (_, seq) =>
        lineOf(
          { at: Date.now() - (count - seq) * 5000, seq, daemon: "night" },
          {
            _tag: "WorkerEnded",
            project: ProjectName.make("default"),
            exit: { code: 1, signal: null },
            uptimeMs: 4000,
            verdict: { kind: "crash", exit: { code: 1, signal: null }, tail: [] }
          }
        )
      )
      fs.writeFileSync(join(home, "history.jsonl"), ends.join(""), { mode: 0o600 })
      const panel = yield* startPanel({ home })
      const textOf = (path: string) =>
        Effect.flatMap(panel.fetch(path), (response) => Effect.promise(() => response.text()))
      const rowsIn = (text: string) => text.split("<tr>").length - 1
      const newest = yield* textOf("/ui/history/rows?project=default")
      assert.strictEqual(rowsIn(newest), 51, "50 rows, and one for the button")
      assert.include(newest, "Show 50 older (4950 left)")
      const oldest = yield* textOf("/ui/history/rows?project=default&skip=4950")
      assert.strictEqual(rowsIn(oldest), 50)
      // Chart, card and the rest: all that the page gets, in less than 100 kB, however long the night.
      const page = yield* textOf("/ui/page?project=default&range=24h")
      assert.include(page, '<div id="history-count" hx-swap-oob="innerHTML">5000</div>')
      assert.isBelow(page.length, 100_000)
    })
  )

  it.scopedLive("shows a demo of everything with one command, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const tmp = yield* temporaryHome
      // What npm run gui:demo does.
      const demo = yield* run({
        home: tmp,
        command: process.execPath,
        args: [resolve(import.meta.dirname, "../../../scripts/gui-demo.mjs")],
        env: { TMPDIR: tmp }
      })
      const [link = "", origin, token = ""] = yield* eventually(
        "it prints the link",
        () => /(http:\S+)\/#token=(\S+)/.exec(demo.stdout()) ?? undefined
      )
      const page = yield* Effect.promise(() => fetch(link).then((response) => response.text()))
      assert.include(page, 'id="daemon-status-content"')
      const states = yield* eventually(
        "its workers are in five states",
        Effect.promise(async () => {
          const headers = { "x-autopilotd-token": token }
          const text = await fetch(`${origin}/ui/page?page=all`, { headers }).then((response) =>
            response.text()
          )
          return /<div id="all-state"[^>]*>([^<]*failed[^<]*)</.exec(text)?.[1]
        })
      )
      assert.match(states, /running/)
      demo.child.kill("SIGINT")
      assert.deepStrictEqual(yield* demo.ended, { code: 0, signal: null })
      assert.deepStrictEqual(fs.readdirSync(tmp), [])
    })
  )

  it.scopedLive(
    "opens its link in the browser, also that of the panel that runs, and says who has the port",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        // In the place of a browser: it notes what it would show.
        const seen = join(home, "seen")
        fs.writeFileSync(
          join(home, "xdg-open"),
          `#!/bin/sh\necho "$1" >>"${seen}.paths"; cat "$1" >>"${seen}"\n`,
          {
            mode: 0o755
          }
        )
        const env = { PATH: `${home}:${process.env["PATH"]}` }
        const links = () =>
          fs.existsSync(seen)
            ? [...fs.readFileSync(seen, "utf8").matchAll(/href="([^"]+)"/g)].map(([, to]) => to)
            : []
        const opened = (count: number) =>
          eventually(`${count} links were opened`, () => (links().length === count ? links() : undefined))
        const panel = yield* startPanel({ home, env, args: ["--open"] })
        const { link } = panel
        assert.deepStrictEqual(yield* opened(1), [link])
        // Other users see the arguments of a browser: no token in them.
        const page = join(home, "gui.html")
        assert.strictEqual(fs.readFileSync(`${seen}.paths`, "utf8"), `${page}\n`)
        assert.strictEqual(fs.statSync(page).mode & 0o777, 0o600)

        // A second one is not needed: it leads to the first.
        const second = yield* ownProcess({ home, env, args: ["gui", "--open"] })
        assert.deepInclude(second, {
          code: 0,
          stdout: `The panel is running already, with pid ${panel.child.pid}, at ${link}\n`
        })
        assert.deepStrictEqual(yield* opened(2), [link, link])

        const elsewhere = yield* command({
          home: yield* temporaryHome,
          args: ["gui", "--port", new URL(link).port]
        })
        assert.strictEqual(elsewhere.code, 1)
        assert.match(
          elsewhere.stderr,
          /^autopilotd: Another program listens on 127\.0\.0\.1:\d+, perhaps another panel\. Stop it, or/
        )

        panel.child.kill("SIGTERM")
        assert.deepStrictEqual(yield* panel.ended, { code: 0, signal: null })
        assert.isFalse(fs.existsSync(page))
      })
  )
})
