import * as fs from "node:fs"
import { delimiter, join, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { command, eventually, fixture, temporaryHome } from "../TestDaemon.ts"

const readme = fs.readFileSync(resolve(import.meta.dirname, "../../../README.md"), "utf8")

/** The blocks of the README in a language. */
const blocks = (language: string): ReadonlyArray<string> =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, text = ""]) => text)

/** A user without settings, with a project folder and a stand-in for Claude Code on PATH. */
const newcomer = Effect.gen(function* () {
  const userHome = yield* temporaryHome
  const home = join(userHome, ".autopilot")
  const shop = join(userHome, "code/shop")
  fs.mkdirSync(shop, { recursive: true })
  const env = {
    HOME: userHome,
    AUTOPILOT_HOME: home,
    PATH: `${resolve(fixture("claude"), "..")}${delimiter}${process.env["PATH"]}`,
    ANTHROPIC_API_KEY: "secret"
  }
  const runWith = (given: Readonly<Record<string, string>>, ...args: ReadonlyArray<string>) =>
    command({ home, cwd: shop, env: { ...env, ...given }, args })
  const run = (...args: ReadonlyArray<string>) => runWith({}, ...args)
  return { home, shop, file: join(home, "daemon.toml"), run, runWith }
})

/** Waits until the stand-in has crashed, was continued, and has finished. */
const finished = (run: Effect.Effect.Success<typeof newcomer>["run"]) =>
  eventually(
    "the continued agent has finished",
    Effect.map(run("status", "--json"), ({ stdout }) => {
      const { data } = JSON.parse(stdout)
      return data.finished === true ? data : undefined
    })
  )

describe("the first minute", () => {
  it.scopedLive("autopilotd alone shows its help where there is nothing to start, and leaves no file", () =>
    Effect.gen(function* () {
      const { home, run } = yield* newcomer
      const told = yield* run()
      assert.deepStrictEqual([told.code, told.stderr], [0, ""])
      assert.match(told.stdout, /^ +init +Write the settings of a project/m)
      assert.isFalse(fs.existsSync(home))
    })
  )

  it.scopedLive("init gives a worker to settings that have none, and keeps what they say", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const file = join(home, "daemon.toml")
      const why = (yield* command({ home, args: ["why"] })).stdout
      assert.match(why, /Write the settings of a project, in its folder: autopilotd init\n.*start --detach/)
      const say = (...args: ReadonlyArray<string>) => command({ home, args })
      yield* say("config", "set", "restart.jitter", "0.25")
      const missing = (yield* say("config", "check")).stderr
      assert.match(missing, /There is no worker to start[^]*\n {2}autopilotd init /)
      assert.match(
        (yield* say("doctor")).stdout.replace(/\n +/g, " "),
        /-> Run autopilotd init in the folder/
      )
      const nowhere = yield* say("init", "--workdir", join(home, "none"))
      assert.match(
        nowhere.stderr,
        /^autopilotd: There is no folder .*, so nothing was changed\. Create it \(mkdir -p /
      )
      const told = yield* say("init", "--project", "shop")
      assert.include(told.stdout, `the project shop, in ${home}.`)
      assert.match(
        fs.readFileSync(file, "utf8"),
        /^project = "shop"\nworking_dir = ".*"\n\n\[restart\]\njitter = 0\.25\n\n\[worker_command\]\n/m
      )
      assert.notInclude((yield* say("config", "check")).stderr, "There is no worker to start")
    })
  )

  it.scopedLive("init without a login names the variable and the file of a key, and finds it there", () =>
    Effect.gen(function* () {
      const { home, runWith } = yield* newcomer
      const init = (name: string) =>
        Effect.map(runWith({ ANTHROPIC_API_KEY: "" }, "init", "--project", name), ({ stdout }) => stdout)
      const envFile = join(home, "env")
      const way = `no login: run claude once and log in, or write ANTHROPIC_API_KEY=... into ${envFile}.`
      assert.include(yield* init("shop"), way)
      fs.writeFileSync(envFile, "ANTHROPIC_API_KEY=secret\n", { mode: 0o600 })
      assert.include(yield* init("blog"), "Claude Code was found, with a login.")
    })
  )

  it.scopedLive(
    "init and start --detach, as the README has them, supervise an agent that is continued after a crash",
    () =>
      Effect.gen(function* () {
        const { file, run, shop } = yield* newcomer
        const [commands = ""] = blocks("sh")
        assert.include(commands, "&& autopilotd init\nautopilotd start --detach\n")
        const told = yield* run("init")
        assert.deepStrictEqual([told.code, told.stderr], [0, ""])
        assert.include(told.stdout, `Written to ${file}: the project shop, in ${shop}.`)
        assert.include(told.stdout, "Claude Code was found, with a login.")
        assert.include(told.stdout, "Next: autopilotd start --detach")
        assert.notInclude(told.stdout, "secret")
        const text = fs.readFileSync(file, "utf8")
        const again = yield* run("init")
        assert.strictEqual(again.code, 1)
        assert.include(again.stderr, `The project shop works in ${shop} already, so nothing was changed.`)
        assert.strictEqual(fs.readFileSync(file, "utf8"), text)

        // The first run of the stand-in crashes.
        const started = yield* run("start", "--detach")
        assert.match(
          `${started.stdout}${started.stderr}`,
          /The worker of shop is (restarting|running|finished)/
        )
        const data = yield* finished(run)
        assert.include(data.last_exit, "exit code 0")
        assert.strictEqual(data.total_restarts, 1)
        const more = yield* run("init", "--project", "blog", "--workdir", join(shop, ".."), "--json")
        assert.deepInclude(JSON.parse(more.stdout), {
          success: true,
          project: "blog",
          next: "autopilotd reload"
        })
        assert.isTrue(fs.readFileSync(file, "utf8").startsWith(text.trimEnd()))
        assert.strictEqual((yield* run("config", "check")).code, 0)
        yield* run("stop")
      })
  )

  it.scopedLive(
    "the recipe of the README runs as it stands, and its commands for the morning tell the night",
    () =>
      Effect.gen(function* () {
        const { file, home, run } = yield* newcomer
        fs.mkdirSync(home, { recursive: true, mode: 0o700 })
        const [settings = ""] = blocks("toml")
        fs.writeFileSync(file, settings, { mode: 0o600 })
        const checked = yield* run("config", "check")
        assert.strictEqual(checked.code, 0, checked.stderr)
        assert.match(checked.stdout, /restart\.stall_timeout_ms +1800000 \(30 minutes\)/)
        yield* run("start", "--detach")
        yield* finished(run)
        const morning = blocks("sh").find((block) => block.includes("autopilotd why")) ?? ""
        for (const line of morning.split("\n").filter((one) => one.startsWith("autopilotd "))) {
          const told = yield* run(...line.split(" ").slice(1))
          assert.strictEqual(told.code, 0, `${line}: ${told.stderr}`)
          assert.notStrictEqual(told.stdout, "", line)
        }
        assert.include((yield* run("why")).stdout, "finished")
        yield* run("stop")
      })
  )
})
