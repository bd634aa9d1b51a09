import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Page } from "playwright-core"
import { httpServer } from "../../fixtures/LocalServer.ts"
import { unlessMissing } from "../../fixtures/Missing.ts"
import { eventually, fixture, startDaemon, temporaryHome } from "../TestDaemon.ts"
import { noBrowser, openPage, sharedBrowser, startPanel } from "./TestPanel.ts"

const inBrowser = unlessMissing(noBrowser)
const browser = sharedBrowser()

/** A page of somebody else, on a port of this machine: a development server of the agent, for example. */
const otherServer = httpServer((_, response) => {
  response.setHeader("content-type", "text/html")
  response.end("<!doctype html><title>Somebody else</title>")
})

/** Shows an address in a frame of a page, and returns when that is loaded or refused. */
const framed = (page: Page, address: string) =>
  Effect.promise(() =>
    page.evaluate(
      `new Promise((done) => { const frame = document.createElement("iframe"); frame.onload = done; frame.src = "${address}"; document.body.replaceChildren(frame) })`
    )
  )

/** What such a page tries. It even knows the token, which it cannot: the guard must not depend on that alone. */
const attack = (panel: string, token: string): string => `(async () => {
  const headers = { "X-Autopilotd-Token": "${token}" }
  const status = (path, options) => fetch("${panel}" + path, options).then(({ status }) => status, () => "failed")
  const socket = new Promise((done) => {
    const ws = new WebSocket("${panel.replace("http", "ws")}/ws", ["autopilotd.v1", "token.${token}"])
    ws.onopen = () => done("open")
    ws.onerror = () => done("failed")
  })
  const shown = window.open("${panel}/")
  return {
    read: await status("/ui/page", { headers }),
    readBlindly: await status("/api/daemon/status", { mode: "no-cors" }),
    act: await status("/api/daemon/stop", { method: "POST", headers }),
    actBlindly: await status("/api/daemon/stop", { method: "POST", mode: "no-cors" }),
    script: await import("${panel}/assets/x/app.js").then(() => "loaded", () => "failed"),
    socket: await socket,
    opened: shown === null || shown.closed ? "closed" : await new Promise((done) => {
      const look = () => {
        try {
          const { body, readyState } = shown.document
          if (shown.location.href !== "about:blank" && readyState === "complete")
            return done(body.querySelector("#live") === null ? "refused" : "readable")
        } catch { return done("closed") }
        if (shown.closed) done("closed")
        else setTimeout(look, 50)
      }
      look()
    })
  }
})()`

describe("the panel and hostile pages", () => {
  inBrowser(
    "lets neither a page of another port nor DNS rebinding read or act, and shows in a frame only what it may, where it may",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        // The panel reads it when it starts.
        const { url: friend } = yield* otherServer
        fs.writeFileSync(join(home, "gui.toml"), `[gui]\nembed_origins = ["${friend}"]\n`, { mode: 0o600 })
        const daemon = yield* startDaemon({ home, worker: [fixture("sleeps.sh")] })
        const panel = yield* startPanel({ home })
        const { origin, token } = panel
        const { worker_pid: pid } = yield* daemon.status(
          "it runs",
          (data) => data.worker_status === "running"
        )
        const { url: elsewhere } = yield* otherServer

        const { page } = yield* openPage(yield* browser, elsewhere)
        assert.deepStrictEqual(yield* Effect.promise(() => page.evaluate(attack(origin, token))), {
          read: "failed",
          readBlindly: "failed",
          act: "failed",
          actBlindly: "failed",
          script: "failed",
          socket: "failed",
          opened: "closed"
        })
        const isRefused = (within: Page, path: string) =>
          Effect.zipRight(
            framed(within, `${origin}${path}`),
            eventually(`the frame of ${path} shows an error of the browser`, () =>
              within.frames().at(-1)?.url().startsWith("chrome-error:")
            )
          )
        yield* isRefused(page, "/")
        yield* isRefused(page, "/panel")
        // The page that the user allows has the card, and nothing else.
        const own = yield* openPage(yield* browser, friend)
        yield* isRefused(own.page, "/")
        yield* framed(own.page, `${origin}/panel#token=${token}`)
        const card = own.page.frameLocator("iframe").locator("#daemon-status-content")
        yield* eventually(
          "the card shows the worker",
          Effect.promise(async () => {
            const text = await card.innerText({ timeout: 1000 }).catch(() => "")
            return text.includes(`${pid}`) || undefined
          })
        )

        // The name of the attacker leads to this machine now; its page was loaded from the attacker's own machine before.
        const rebound = origin.replace("127.0.0.1", "evil.test")
        const victim = yield* openPage(yield* browser, "about:blank")
        const direct = yield* Effect.promise(() => victim.page.goto(rebound))
        assert.strictEqual(direct?.status(), 421)
        yield* Effect.promise(() =>
          victim.page.route(`${rebound}/loaded-before`, (route) =>
            route.fulfill({ contentType: "text/html", body: "<!doctype html>" })
          )
        )
        yield* Effect.promise(() => victim.page.goto(`${rebound}/loaded-before`))
        const tried = yield* Effect.promise(() =>
          victim.page.evaluate<Record<string, unknown>>(attack(rebound, token))
        )
        assert.deepInclude(tried, {
          read: 421,
          readBlindly: 421,
          act: 421,
          actBlindly: 421,
          script: "failed",
          socket: "failed",
          opened: "refused"
        })

        // The person's own page works, and nothing has happened.
        const full = yield* openPage(yield* browser, panel.link)
        yield* full.shows("#state-title", "Worker running")
        yield* full.shows("#daemon-status-content", `pid ${pid}`)
        assert.deepStrictEqual(full.problems, [])
      })
  )
})
