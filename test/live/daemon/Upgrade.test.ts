import * as fs from "node:fs"
import { delimiter, dirname, join, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { command, fixture, launcher, temporaryHome } from "../TestDaemon.ts"

const text = fs.readFileSync(resolve(import.meta.dirname, "../../../docs/upgrade.md"), "utf8")

/** The commands of a chapter. */
const commandsOf = (chapter: string): ReadonlyArray<string> =>
  [...(text.split(`## ${chapter}\n`)[1]?.split("\n## ")[0] ?? "").matchAll(/^```sh\n(.*?)^```$/gms)].map(
    ([, lines = ""]) => lines
  )

/** A user whose agent works, with the commands of docs/upgrade.md. */
const user = Effect.gen(function* () {
  const userHome = yield* temporaryHome
  const home = join(userHome, ".autopilot")
  const moved = join(userHome, "data")
  fs.mkdirSync(join(userHome, "shop"))
  const env = {
    HOME: userHome,
    AUTOPILOT_HOME: home,
    XDG_RUNTIME_DIR: undefined,
    PATH: [dirname(launcher), process.env["PATH"]].join(delimiter)
  }
  const sh = (lines: string, autopilotHome = home) =>
    command({
      home: autopilotHome,
      cwd: userHome,
      env: { ...env, AUTOPILOT_HOME: autopilotHome },
      command: "/bin/sh",
      args: ["-ec", lines.replaceAll("/data/autopilot", moved)]
    })
  fs.mkdirSync(home)
  fs.writeFileSync(
    join(home, "daemon.toml"),
    `project = "shop"\nworking_dir = "~/shop"\nworker_command = { type = "Command", argv = ["${fixture("sleeps.sh")}"] }\n`
  )
  const started = yield* sh("autopilotd start --detach")
  assert.deepStrictEqual([started.code, started.stderr], [0, ""])
  return { home, moved, sh, userHome }
})

describe("docs/upgrade.md, followed,", () => {
  it.scopedLive(
    "upgrades and moves a home with its history and its workers' states, and leaves nothing at the end",
    () =>
      Effect.gen(function* () {
        const { home, moved, sh, userHome } = yield* user
        const [, , withoutService = ""] = commandsOf("Upgrade")
        const upgraded = yield* sh(`autopilotd stop-worker; ${withoutService}`)
        assert.deepStrictEqual([upgraded.code, upgraded.stderr], [0, ""])
        assert.match(
          upgraded.stdout,
          /The worker of shop is stopped: stopped by command/,
          "what was stopped stays so"
        )

        const [move = ""] = commandsOf("Move the home")
        const there = yield* sh(move)
        assert.deepStrictEqual([there.code, there.stderr], [0, ""])
        assert.isFalse(fs.existsSync(home))
        const after = yield* sh(
          "autopilotd status; autopilotd start-worker; autopilotd projects; autopilotd events",
          moved
        )
        assert.deepStrictEqual([after.code, after.stderr], [0, ""])
        assert.match(after.stdout, /stopped by command/)
        assert.match(after.stdout, /^\* shop +running/m)
        assert.lengthOf(after.stdout.match(/autopilotd \S+ started/g) ?? [], 3, after.stdout)

        const [uninstall = ""] = commandsOf("Uninstall for good")
        const gone = yield* sh(
          uninstall.replace("npm uninstall --global autopilotd\n", "").replace("~/.autopilot", moved),
          moved
        )
        assert.deepStrictEqual([gone.code, gone.stderr], [0, ""])
        assert.deepStrictEqual(fs.readdirSync(userHome), ["shop"])
      })
  )
})
