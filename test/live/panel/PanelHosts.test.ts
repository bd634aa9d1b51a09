import * as fs from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { fakeSsh } from "../../fixtures/FakeSsh.ts"
import { unlessMissing } from "../../fixtures/Missing.ts"
import { fixture, launcher, startDaemon, temporaryHome } from "../TestDaemon.ts"
import { linkTo, noBrowser, openPage, sharedBrowser, startPanel } from "./TestPanel.ts"

const inBrowser = unlessMissing(noBrowser)
const browser = sharedBrowser()

describe("the panel with other machines", () => {
  inBrowser("shows each with its worst state, opens its projects, and follows what happens there", () =>
    Effect.gen(function* () {
      const box = yield* startDaemon({ args: ["--project", "shop"], worker: [fixture("sleeps.sh")] })
      const home = yield* temporaryHome
      const file = join(home, "hosts.toml")
      fs.writeFileSync(file, `[hosts."box.lan"]\nurl = "box"\nhome = "${box.home}"\n`, { mode: 0o600 })
      const env = { PATH: [dirname(launcher), fakeSsh(home)].join(delimiter) }
      const panel = yield* startPanel({ home, env })
      for (const path of ["/", "/all"]) {
        const { click, flaws, page, problems, shows } = yield* openPage(yield* browser, linkTo(panel, path))
        yield* shows("#host-0", "box.lan 1 running")
        if (path === "/") fs.appendFileSync(file, "[hosts.dead]\n")
        yield* shows("#host-1", "dead unreachable")
        yield* click("#host-0")
        yield* shows("#host-projects-0", "shop running")
        yield* click("#host-1")
        yield* shows("#host-projects-1", "Host dead cannot be reached")
        assert.deepStrictEqual(yield* flaws, [])
        yield* box.ask({ type: "StopWorker" })
        yield* shows("#host-0", "1 stopped")
        // What was opened is still open.
        yield* shows("#host-projects-0", "shop stopped")
        yield* box.ask({ type: "StartWorker" })
        yield* shows("#host-0", "1 running")
        assert.deepStrictEqual(problems, [])
        yield* Effect.promise(() => page.close())
      }
    })
  )
})
