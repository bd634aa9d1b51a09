import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { savedSamples } from "../../../src/Domain/memory/SampleColumns.ts"
import { noSeries, withSample } from "../../../src/Domain/memory/SampleSeries.ts"
import { unlessMissing } from "../../fixtures/Missing.ts"
import { eventually, fixture, startDaemon, temporaryHome } from "../TestDaemon.ts"
import { linkTo, noBrowser, openPage, sharedBrowser, startPanel } from "./TestPanel.ts"

const inBrowser = unlessMissing(noBrowser)
const browser = sharedBrowser()

const running = (argv: string, backoffMs: number | string): string =>
  `# mine\n[worker_command]\ntype = "Command"\nargv = ["${argv}"]\n\n[restart]\ninitial_backoff_ms = ${backoffMs} # kept\n`

describe("the panel's parts in a browser", () => {
  inBrowser(
    "has an editor that names mistakes, applies, finds conflicts, and asks before another command",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const file = join(home, "daemon.toml")
        const sleeps = fixture("sleeps.sh")
        const daemon = yield* startDaemon({ home, settings: running(sleeps, 100) })
        const panel = yield* startPanel({ home })
        const { page, problems, shows, holds, click, flaws } = yield* openPage(yield* browser, panel.link)
        const area = page.locator("#config-text")
        const type = (text: string) => Effect.promise(() => area.fill(text))
        const stored = (text: string) =>
          eventually("the file has the text", () => fs.readFileSync(file, "utf8") === text)
        yield* holds(`document.querySelector("#config-text").value.startsWith("# mine")`)

        // A mistake is told at its line while it is typed, and cannot be saved.
        yield* type(running(sleeps, '"soon"'))
        yield* shows("#config-verdict", /Line 7.*initial_backoff_ms/s)
        yield* shows("#config-state", "1 problem")
        assert.isTrue(yield* Effect.promise(() => page.locator("#config-save").isDisabled()))
        yield* click("#config-verdict [data-line]")
        yield* holds(
          "document.activeElement.value.slice(document.activeElement.selectionStart).startsWith('initial_')"
        )
        assert.deepStrictEqual(yield* flaws, [])

        // A save says before what it brings into force, writes the text as it is, and applies it.
        const second = running(sleeps, 200)
        yield* type(second)
        yield* shows("#config-verdict", "In force as soon as it is saved")
        yield* click("#config-changes summary")
        yield* shows("#config-diff", /- initial_backoff_ms = 100 # kept\s*\+ initial_backoff_ms = 200 # kept/)
        yield* click("#config-save")
        yield* shows("#config-verdict", "Saved and applied.")
        yield* stored(second)

        // Somebody else changes the file meanwhile: nothing is lost, on neither side. Without own changes the editor would show theirs.
        yield* type(running(sleeps, 350))
        yield* shows("#config-diff", "+ initial_backoff_ms = 350")
        const theirs = running(sleeps, 300)
        fs.writeFileSync(file, theirs)
        const mine = running(sleeps, 400)
        yield* type(mine)
        yield* shows("#config-verdict", "The file has changed since you opened it.")
        yield* Effect.promise(() => page.locator("#config-save").click())
        yield* shows("#config-state", "Changed on disk")
        assert.strictEqual(yield* Effect.promise(() => area.inputValue()), mine)
        yield* stored(theirs)
        assert.deepStrictEqual(yield* flaws, [])
        yield* click("#config-verdict button:has-text('Go on with mine')")
        yield* shows("#config-state", "Unsaved changes")
        yield* click("#config-save")
        yield* shows("#config-verdict", "Saved and applied.")
        yield* stored(mine)

        // Another command is asked about first.
        const other = running(fixture("mutters.sh"), 400)
        yield* type(other)
        yield* shows("#config-verdict", "At the next start of the worker")
        yield* click("#config-save")
        yield* shows("#confirm-question", "Change what is run for")
        yield* shows("#confirm-consequence", "mutters.sh")
        assert.deepStrictEqual(yield* flaws, [])
        yield* Effect.promise(() => page.keyboard.press("Escape"))
        yield* holds("!document.querySelector('#confirm').open")
        yield* stored(mine)
        yield* click("#config-save")
        yield* click("#confirm-yes")
        yield* shows("#config-verdict", "goes on as started")
        yield* stored(other)
        const before = yield* daemon.status("it runs", (data) => data.worker_status === "running")
        yield* click("#config-verdict button:has-text('Restart')")
        yield* daemon.status(
          "another worker runs",
          (data) => data.worker_status === "running" && data.worker_pid !== before.worker_pid
        )
        assert.deepStrictEqual(problems, [])
      })
  )

  inBrowser("shows doctor, the memory and the last hour also as text, and one action in all its tabs", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const GiB = 2 ** 30
      const limits = { totalBytes: 16 * GiB, lowBytes: 2 * GiB, criticalBytes: GiB }
      const series = withSample(noSeries, {
        atMs: Date.now() - 120_000,
        availableBytes: 7 * GiB,
        limits,
        trees: new Map()
      })
      fs.writeFileSync(join(home, "samples"), JSON.stringify(savedSamples(series)))
      yield* startDaemon({ home, worker: [fixture("sleeps.sh")] })
      const panel = yield* startPanel({ home })
      const full = yield* openPage(yield* browser, panel.link)
      const { page, shows, holds, click } = full
      yield* shows("#state-title", "Worker running")

      const said = "In the last hour at least [\\d.]+ GiB of memory was available"
      yield* holds(`/${said}/.test(document.querySelector("#chart-desc")?.textContent)`)
      yield* holds(`document.querySelectorAll("#memory-chart table td").length > 2`)
      yield* Effect.promise(() => page.locator("#memory-chart").press("ArrowLeft"))
      yield* holds(`/GiB available/.test(document.querySelector("#chart-said").textContent)`)
      yield* holds(
        `/^Of the last 60 minutes \\d+ were good/.test(document.querySelector("#beats svg").getAttribute("aria-label"))`
      )
      yield* click("#range-24h")
      yield* holds(`/last 24 hours/.test(document.querySelector("#chart-title")?.textContent)`)
      assert.include(page.url(), "range=24h")
      assert.deepStrictEqual(yield* full.flaws, [])

      yield* click(".doctor-open")
      yield* shows("#doctor-findings", "passed")
      assert.deepStrictEqual(yield* full.flaws, [])
      yield* Effect.promise(() => page.locator("#auto-start").check())
      yield* eventually(
        "the preference is remembered",
        Effect.try(
          () => /auto_start = true/.test(fs.readFileSync(join(home, "gui.toml"), "utf8")) || undefined
        )
      )
      yield* Effect.promise(() => page.keyboard.press("Escape"))
      yield* holds("document.activeElement.classList.contains('doctor-open')")

      // All projects, and cards of the corner, ten tabs in all: one action is seen by each.
      const all = yield* openPage(yield* browser, linkTo(panel, "/all"))
      const cards = yield* Effect.all(
        Array.from({ length: 8 }, () =>
          Effect.flatMap(browser, (it) => openPage(it, linkTo(panel, "/panel")))
        )
      )
      const [card] = cards
      assert.isDefined(card)
      yield* all.shows("#all-state", "1 running")
      for (const each of cards) yield* each.shows("#daemon-status-content", "running")
      yield* Effect.promise(() => page.locator("#do-stop-worker").press("Enter"))
      yield* shows("#state-title", "Worker stopped")
      yield* all.shows("#all-state", "1 stopped")
      for (const each of cards) yield* each.shows("#daemon-status-content", "stopped")
      yield* shows("#toasts", /stopp/)
      for (const { flaws } of [full, all, card]) assert.deepStrictEqual(yield* flaws, [])
      for (const { problems } of [full, all, ...cards]) assert.deepStrictEqual(problems, [])
      yield* Effect.promise(() => card.page.locator("#do-start-worker").click())
      yield* shows("#state-title", "Worker running")
    })
  )
})
