import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { unlessMissing } from "../../fixtures/Missing.ts"
import { eventually, killForSure, startDaemon, temporaryHome } from "../TestDaemon.ts"
import { noBrowser, openPage, sharedBrowser, startPanel } from "./TestPanel.ts"

const inBrowser = unlessMissing(noBrowser)
const browser = sharedBrowser()

const escape = "\u001b"

/** Lines made to run something in a page, to paint over it, or to look like something else. */
const hostile = [
  '<script>hacked = 1</script><img src=x onerror="hacked = 2">',
  `${escape}[31mred${escape}[0m ${escape}]8;;http://evil.test\u0007link${escape}]8;;\u0007${escape}]0;hacked\u0007${escape}[2J after`,
  "bidi \u202egnp.exe\u2066 end",
  `long ${"x".repeat(2 ** 20)}`,
  JSON.stringify({
    type: "assistant",
    session_id: "s",
    message: { id: "m", content: [{ type: "text", text: "The agent <b>speaks</b>" }] }
  })
]

const rowWith = (text: string): string =>
  `[...document.querySelectorAll("#log-rows .row")].find((row) => row.textContent.includes(${JSON.stringify(text)}))`

describe("the log in a browser", () => {
  inBrowser("shows hostile lines as text, and is searched, followed and gone back in", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const output = join(home, "output")
      const say = (...lines: ReadonlyArray<string>) => fs.appendFileSync(output, `${lines.join("\n")}\n`)
      say(...Array.from({ length: 700 }, (_, n) => `line ${n} of the night`), ...hostile, "ERROR: disk full")
      const daemon = yield* startDaemon({
        home,
        settings: "[restart]\ninitial_backoff_ms = 1\n",
        worker: ["sh", "-c", 'echo "on the error output" >&2; exec tail -n +1 -f "$0"', output]
      })
      // A page that is open meanwhile leaves lines of a burst out, and says so.
      yield* eventually(
        "the log has all",
        Effect.try(
          () =>
            fs.readFileSync(join(home, "logs/default/worker.log"), "utf8").includes("disk full") || undefined
        )
      )
      const panel = yield* startPanel({ home })
      const { page, problems, shows, holds, click, flaws } = yield* openPage(yield* browser, panel.link)
      const count = (selector: string) => Effect.promise(() => page.locator(selector).count())
      yield* shows("#log-rows", "disk full")

      // Nothing has run, and nothing became an element.
      yield* shows("#log-rows", '<script>hacked = 1</script><img src=x onerror="hacked = 2">')
      yield* shows("#log-rows", "\\u202egnp.exe\\u2066")
      assert.strictEqual(yield* count("#log-rows :is(script, img, a, b, iframe)"), 0)
      assert.strictEqual(yield* Effect.promise(() => page.evaluate("typeof hacked")), "undefined")
      assert.match(yield* Effect.promise(() => page.title()), /^● Running/)
      assert.strictEqual(
        yield* holds(`${rowWith("link after")}?.lastElementChild.textContent`),
        "red link after"
      )
      // A line of a megabyte is stored in parts, and each is shown in part.
      yield* shows("#log-rows", /… [\d,]+ more characters/)
      assert.isBelow(yield* holds<number>("document.querySelector('#log-rows').textContent.length"), 150_000)
      // An agent's line is in words; opened, as it is.
      yield* holds(`${rowWith("The agent <b>speaks</b>")}?.matches("details")`)
      yield* click("#log-rows details:has-text('speaks') summary")
      yield* shows("#log-rows details[open] pre", '"session_id":"s"')
      yield* shows("#log-follow[aria-pressed=false]", "Follow")

      // Older lines come above, and what was seen stays in its place.
      assert.strictEqual(yield* count("#log-rows .row:has-text('line 1 of')"), 0)
      yield* Effect.promise(() => page.locator("#log-older").scrollIntoViewIfNeeded())
      yield* click("#log-older")
      yield* shows("#log-rows", "line 1 of the night")
      assert.isAbove(yield* holds<number>("document.querySelector('#log-box').scrollTop"), 0)

      // Search and filters.
      yield* Effect.promise(() => page.locator("#log-form [name=q]").fill("DISK"))
      yield* shows("#log-rows mark", "disk")
      assert.strictEqual(yield* count("#log-rows .row"), 1)
      yield* Effect.promise(() => page.locator("#log-form [name=q]").fill("nowhere to be found"))
      yield* shows("#log-rows", "No line matches.")
      yield* Effect.promise(() => page.locator("#log-form [name=q]").fill(""))
      yield* shows("#log-rows", "of the night")
      yield* Effect.promise(() => page.locator("#log-form [name=stream]").selectOption("err"))
      yield* shows("#log-rows", /on the error output\s*$/)
      yield* Effect.promise(() => page.locator("#log-form [name=stream]").selectOption(""))
      yield* Effect.promise(() => page.locator("#log-form [name=level]").selectOption("error"))
      yield* shows("#log-rows", "disk full")
      yield* holds("!document.querySelector('#log-rows').textContent.includes('on the error output')")
      yield* Effect.promise(() => page.locator("#log-form [name=level]").selectOption(""))
      yield* shows("#log-rows", "of the night")

      // Long lines wrap on request; the file comes whole; a time of the clock leads to its lines.
      yield* click("label[for=log-wrap]")
      yield* holds(`getComputedStyle(${rowWith("of the night")}).whiteSpace === "pre-wrap"`)
      const [download] = yield* Effect.promise(() =>
        Promise.all([page.waitForEvent("download"), page.locator("#log-save").click()])
      )
      assert.strictEqual(download.suggestedFilename(), "worker.log")
      const saved = yield* Effect.promise(() => download.path())
      assert.strictEqual(
        fs.readFileSync(saved, "utf8"),
        fs.readFileSync(join(home, "logs/default/worker.log"), "utf8")
      )
      yield* Effect.promise(() => page.locator("#log-at").fill("2026-01-01T12:00:00"))
      yield* shows("#log-rows", /The time you asked for[^]*line 1 of the night/)
      yield* shows("#log-follow[aria-pressed=false]", "Follow")
      yield* click("#log-follow")

      // It follows, pauses and counts, and goes on.
      yield* shows("#log-follow[aria-pressed=true]", "Follow")
      say("while it follows")
      yield* shows("#log-rows", "while it follows")
      yield* click("#log-follow")
      say("one", "two", "while it pauses")
      yield* shows("#log-new", /\+3\b/)
      assert.strictEqual(yield* count("#log-rows .row:has-text('while it pauses')"), 0)
      yield* click("#log-follow")
      yield* shows("#log-rows", "while it pauses")
      assert.deepStrictEqual(yield* flaws, [])

      // A row of the history leads to its time in the log.
      const { worker_pid: pid } = yield* daemon.status(
        "it runs",
        ({ worker_status: state }) => state === "running"
      )
      killForSure(pid ?? 0)
      yield* shows("#history-rows", "SIGKILL")
      // The rows are sent anew with each event, and a press that meets new ones is none. One that is taken moves the focus
      // before its lines come: a second press then would take the focus back.
      yield* eventually(
        "a press on the row is taken, and the focus is in the log",
        Effect.promise(async () => {
          await page.locator("#history-rows a").first().click()
          return (await page.evaluate<boolean>("document.activeElement.id === 'log-box'")) || undefined
        })
      )
      yield* shows("#log-rows", "The time you asked for")
      yield* shows("#log-follow[aria-pressed=false]", "Follow")
      assert.notInclude(page.url(), "at=")
      assert.deepStrictEqual(problems, [])
    })
  )
})
