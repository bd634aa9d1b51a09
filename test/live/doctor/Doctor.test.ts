import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { command, ownProcess, startDaemon, temporaryHome } from "../TestDaemon.ts"

interface Finding {
  readonly about: string
  readonly level: string
  readonly text: string
  readonly cure?: string
}

const findingsIn = (stdout: string): ReadonlyArray<Finding> => JSON.parse(stdout).data.findings

describe("autopilotd doctor", () => {
  it.scopedLive("finds a running daemon and its home well, and changes nothing", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* startDaemon({ home, settings: "", worker: ["/bin/sleep", "1000"] })
      const withoutSettings = yield* command({ home, args: ["doctor"] })
      assert.deepStrictEqual([withoutSettings.code, withoutSettings.stderr], [0, ""], withoutSettings.stdout)
      // Both speak of the daemon, not of the folder and the environment of the caller.
      const elsewhere = { cwd: "/", env: { AUTOPILOT_MODEL: "opus" } }
      const check = yield* command({ home, args: ["config", "check"], ...elsewhere })
      assert.strictEqual(check.code, 0, check.stderr)
      assert.match(
        check.stdout,
        /^The running daemon \(pid \d+\) was started in \S+ with: autopilotd start .*-- \/bin\/sleep 1000$/m
      )
      assert.match(check.stdout, new RegExp(`working_dir +"${home}" `))
      assert.match(check.stdout, /model +"sonnet" +default/)
      const start = yield* command({ home, args: ["config", "check", "--", "true"], ...elsewhere })
      assert.match(start.stdout, /model +"opus" +environment AUTOPILOT_MODEL/)
      fs.writeFileSync(
        join(home, "daemon.toml"),
        `[worker_command]\ntype = "Command"\nargv = ["/bin/sleep", "1000"]\n`
      )
      // The daemon itself writes its memory samples once a minute.
      const files = () =>
        fs
          .readdirSync(home)
          .filter((name) => name !== "samples")
          .toSorted()
      const before = files()
      const { code, stderr, stdout } = yield* command({ home, args: ["doctor", "--json"] })
      assert.deepStrictEqual([code, stderr], [0, ""], stdout)
      assert.include(stdout, '"success":true')
      const of = (about: string) => findingsIn(stdout).filter((each) => each.about === about)
      for (const about of ["Node", "Settings", "Worker", "Home", "Daemon"]) {
        assert.deepStrictEqual(
          of(about).map(({ level }) => level),
          ["ok"],
          about
        )
      }
      assert.deepStrictEqual(files(), before)
    })
  )

  it.scopedLive("names no install where there is no systemd user manager, which would refuse it", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const env = { XDG_RUNTIME_DIR: undefined, DBUS_SESSION_BUS_ADDRESS: undefined }
      const { stdout } = yield* ownProcess({ home, args: ["doctor", "--json"], env })
      const service = findingsIn(stdout).find(({ about }) => about === "Service")
      assert.match(service?.text ?? "", /^No systemd user manager was found: .* autopilotd start --detach/)
    })
  )

  it.scopedLive("names each setting that is wrong, with its fix, and exits with 1", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.writeFileSync(join(home, "daemon.toml"), "[restart]\ninitial_backof_ms = 3\njitter = 7\n")
      const { code, stderr, stdout } = yield* command({ home, args: ["doctor"] })
      assert.deepStrictEqual([code, stderr], [1, ""])
      assert.match(stdout, /^ERROR +Settings .*daemon\.toml:2:/m)
      assert.match(stdout.replace(/\n +/g, " "), /daemon\.toml:3: restart\.jitter/)
      assert.match(stdout, /-> Run: autopilotd config edit/)
      assert.match(stdout, /\n2 errors.*\.\n$/)
    })
  )

  it.scopedLive("finds a worker's program missing, and a home that others can read", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.writeFileSync(
        join(home, "daemon.toml"),
        `[worker_command]\ntype = "Command"\nargv = ["no-such-agent", "-p"]\n`
      )
      fs.writeFileSync(join(home, "env"), "KEY=a-secret-value\n", { mode: 0o644 })
      fs.chmodSync(home, 0o755)
      const { code, stdout } = yield* command({ home, args: ["doctor", "--json"] })
      assert.strictEqual(code, 1)
      assert.notInclude(stdout, "a-secret-value")
      const ills = findingsIn(stdout).filter(({ level }) => level !== "ok")
      assert.deepStrictEqual(
        ills.map(({ about, level }) => `${level} ${about}`).filter((each) => !each.endsWith("Memory")),
        ["error Worker", "warning Env file", "warning Home"]
      )
      assert.isTrue(ills.every(({ cure }) => cure !== undefined && cure !== ""))
      const gone = join(home, "gone")
      fs.appendFileSync(join(home, "daemon.toml"), `[projects.shop]\nworking_dir = "${gone}"\n`)
      const elsewhere = yield* command({ home, args: ["doctor", "--json"] })
      const worker = findingsIn(elsewhere.stdout).find(({ text }) => text.startsWith('"shop"'))
      assert.deepInclude(worker, {
        text: `"shop" cannot run "no-such-agent": the working directory ${gone} does not exist.`,
        cure: "Create it, or correct working_dir"
      })
    })
  )
})
