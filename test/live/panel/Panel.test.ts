import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { unlessMissing } from "../../fixtures/Missing.ts"
import { eventually, fixture, killForSure, startDaemon, temporaryHome } from "../TestDaemon.ts"
import { noBrowser, openPage, sharedBrowser, startPanel } from "./TestPanel.ts"

const inBrowser = unlessMissing(noBrowser)
const browser = sharedBrowser()

describe("the panel in a browser", () => {
  inBrowser(
    "shows a worker that dies and comes back, one that failed, stops it when asked, and notices the daemon's end",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const daemon = yield* startDaemon({
          home,
          settings: `[restart]
initial_backoff_ms = 1
[projects.broken.worker_command]
type = "Command"
argv = ["false"]
[projects.broken.restart]
max_consecutive_restarts = 1
`,
          worker: [fixture("sleeps.sh")]
        })
        const panel = yield* startPanel({ home })
        const { page, problems, shows, click, flaws } = yield* openPage(yield* browser, panel.link)
        yield* shows("#state-title", "Worker running")
        yield* shows("#conn", "Live")
        assert.match(yield* Effect.promise(() => page.title()), /^● Running · /)
        // The token is gone from the address, and stays in this tab only.
        assert.notInclude(page.url(), "token")

        const first = yield* daemon.status("it runs", (data) => data.worker_status === "running")
        killForSure(first.worker_pid ?? 0)
        yield* eventually(
          "the page shows another pid",
          Effect.promise(async () => {
            const text = await page.locator("#daemon-status-content").innerText()
            return /Worker running/.test(text) && !text.includes(`pid ${first.worker_pid}`) ? text : undefined
          })
        )

        yield* click("#project-broken")
        yield* shows("#state-title", "Worker failed")
        yield* shows("#banner", "autopilotd start-worker")
        assert.deepStrictEqual(yield* flaws, [])
        yield* click("#project-default")
        yield* shows("#state-title", "Worker running")

        yield* Effect.promise(() => page.locator("#do-stop-worker").click())
        yield* shows("#state-title", "Worker stopped")
        yield* shows("#banner", "is stopped")
        yield* Effect.promise(() => page.locator("#do-start-worker").click())
        yield* shows("#state-title", "Worker running")

        // Stopping the daemon is asked first; Escape keeps it.
        yield* Effect.promise(() => page.locator("#do-stop").click())
        yield* shows("#confirm-question", "Stop the daemon?")
        yield* Effect.promise(() => page.keyboard.press("Escape"))
        assert.isTrue((yield* daemon.ask({ type: "Status" })).success)
        assert.strictEqual(
          yield* Effect.promise(() => page.locator(":focus").getAttribute("id")),
          "do-stop",
          "the focus is where it was"
        )
        yield* Effect.promise(() => page.locator("#do-stop").click())
        yield* Effect.promise(() => page.locator("#confirm-yes").click())
        yield* shows("#state-title", "Daemon not running")
        assert.deepStrictEqual(yield* daemon.ended, { code: 0, signal: null })
        yield* Effect.promise(() => page.locator("#do-start").waitFor())
        assert.deepStrictEqual(yield* flaws, [])
        assert.deepStrictEqual(problems, [])
      })
  )

  inBrowser(
    "says when the panel itself is gone, frozen or another one, and is live again when it is back",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const first = yield* startPanel({ home })
        const { page, shows, flaws } = yield* openPage(yield* browser, first.link)
        yield* shows("#conn", "Live")
        first.child.kill("SIGSTOP")
        yield* shows("#conn", "Offline")
        // A busy machine may notice it by a request without an answer.
        yield* shows("#conn-problem", /has sent nothing for 10 seconds|does not answer/)
        assert.deepStrictEqual(yield* flaws, [])
        first.child.kill("SIGCONT")
        yield* shows("#conn", "Live")
        first.child.kill("SIGTERM")
        yield* shows("#conn", "Offline")
        assert.isNull((yield* first.ended).signal)
        // Another run has another token: the page says what to do, and asks no more.
        yield* startPanel({ home, args: ["--port", new URL(first.origin).port] })
        yield* shows("#conn-problem", "This link is no longer valid")
        yield* Effect.promise(() => page.close())
      })
  )

  inBrowser("polls where the WebSocket is cut, and goes live again", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const daemon = yield* startDaemon({ home, worker: [fixture("sleeps.sh")] })
      const panel = yield* startPanel({ home })
      const { page, shows, flaws } = yield* openPage(yield* browser, "about:blank")
      let isCut = true
      yield* Effect.promise(() =>
        page.routeWebSocket(/\/ws/, (socket) => {
          if (isCut) void socket.close({ code: 1011, reason: "cut" })
          else socket.connectToServer()
        })
      )
      yield* Effect.promise(() => page.goto(panel.link))
      yield* shows("#conn", "Polling")
      yield* shows("#state-title", "Worker running")
      yield* daemon.ask({ type: "StopWorker" })
      yield* shows("#state-title", "Worker stopped")
      assert.deepStrictEqual(yield* flaws, [])
      isCut = false
      yield* shows("#conn", "Live")
    })
  )
})
