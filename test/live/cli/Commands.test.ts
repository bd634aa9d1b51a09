import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { notRoot, unlessMissing } from "../../fixtures/Missing.ts"
import {
  command,
  eventually,
  fixture,
  launcher,
  ownProcess,
  startDaemon,
  temporaryHome
} from "../TestDaemon.ts"

const worker = fixture("sleeps.sh")

const notRunning = (home: string): string =>
  `No daemon is listening on ${join(home, "autopilotd.sock")}. Start it with: autopilotd start`

/** The one line of JSON that a program reads: an object with `success` and `message`. */
const answerIn = (stdout: string): { readonly success: boolean; readonly message: string } => {
  const lines = stdout.split("\n")
  assert.deepStrictEqual([lines.length, lines[1]], [2, ""], stdout)
  const answer: unknown = JSON.parse(lines[0] ?? "")
  assert(typeof answer === "object" && answer !== null && "success" in answer && "message" in answer, stdout)
  const { message, success } = answer
  assert(typeof success === "boolean" && typeof message === "string", stdout)
  return { success, message }
}

describe("without a daemon", () => {
  it.scopedLive(
    "every command that needs one reports that none runs, says what to do, and exits with 3",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        assert.deepStrictEqual(yield* ownProcess({ home, args: ["status"] }), {
          code: 3,
          signal: null,
          stdout: "",
          stderr: `autopilotd: ${notRunning(home)}\n`
        })
        const json = yield* command({ home, args: ["stop-worker", "--json"] })
        assert.deepStrictEqual(answerIn(json.stdout), { success: false, message: notRunning(home) })
        assert.deepStrictEqual([json.code, json.stderr], [3, ""])
        const stop = yield* command({ home, args: ["stop", "--json"] })
        assert.isTrue(answerIn(stop.stdout).success)
        assert.deepStrictEqual([stop.code, stop.stderr], [0, ""])
        assert.deepStrictEqual(fs.readdirSync(home), [])
      })
  )

  it.scopedLive("status works in a folder that was removed under the shell", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const script = 'mkdir "$1/gone"; cd "$1/gone"; rmdir "$1/gone"; exec "$2" status'
      const told = yield* command({
        home,
        command: "bash",
        args: ["-c", script, "bash", home, launcher],
        env: { AUTOPILOT_HOME: home }
      })
      assert.strictEqual(told.code, 3)
      assert.include(told.stderr, `autopilotd: ${notRunning(home)}\n`)
    })
  )
})

describe("an invalid command line", () => {
  it.scopedLive("is reported once, with the help command, and exits with 2; with --json in JSON", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const told = yield* command({ home, args: ["stop", "--project", "shop"] })
      assert.deepStrictEqual([told.code, told.stdout], [2, ""])
      assert.match(
        told.stderr,
        /^autopilotd: --project belongs to start, .*, not to stop\.\nTry: autopilotd stop --help\n$/
      )
      const json = yield* command({ home, args: ["--json", "--modle", "opus"] })
      assert.deepStrictEqual(answerIn(json.stdout), {
        success: false,
        message: 'Unknown option "--modle". Did you mean "--model"?\nTry: autopilotd --help'
      })
      assert.deepStrictEqual([json.code, json.stderr], [2, ""])
    })
  )
})

describe("with a daemon", () => {
  it.scopedLive("each command reports its result, in a sentence or in one line of JSON", () =>
    Effect.gen(function* () {
      const { home, pid, status } = yield* startDaemon({ worker: [worker] })
      yield* status("it runs", (data) => data.worker_status === "running")
      const cases: ReadonlyArray<readonly [args: ReadonlyArray<string>, said: RegExp]> = [
        [["status"], /^Autopilot Daemon Status\n=+\nWorker status: {2}running\nWorker PID: {5}\d+\nUptime: /],
        [["restart-worker"], /^Worker is running, pid \d+\n$/],
        [["stop-worker"], /^Worker is stopped: stopped by command\n$/],
        [["--no-wait", "start-worker"], /^Worker is starting\n$/],
        [["restart-worker", "--no-wait"], /^Worker restart initiated\n$/],
        [["start-worker"], /^Worker is running, pid \d+\n$/]
      ]
      for (const [args, said] of cases) {
        const told = yield* command({ home, args })
        assert.match(told.stdout, said, args.join(" "))
        assert.deepStrictEqual([told.code, told.stderr], [0, ""], args.join(" "))
      }
      for (const args of [["status"], ["start-worker", "--no-wait"]]) {
        const told = yield* command({ home, args: [...args, "--json"] })
        assert.isTrue(answerIn(told.stdout).success, told.stdout)
        assert.deepStrictEqual([told.code, told.stderr], [0, ""], args.join(" "))
      }
      const again = yield* command({ home, args: ["start", "--detach", "--json", "--", worker] })
      const { message, success } = answerIn(again.stdout)
      assert.isFalse(success)
      assert.include(message, `already running with pid ${pid}`)
      assert.deepStrictEqual([again.code, again.stderr], [1, ""])
      const stopped = yield* command({ home, args: ["stop", "--json"] })
      assert.deepStrictEqual(answerIn(stopped.stdout), { success: true, message: "Daemon stopped" })
    })
  )

  it.scopedLive(
    "a failed worker starts again on start-worker; a start that fails says why, and exits with 1",
    () =>
      Effect.gen(function* () {
        const { home, ...daemon } = yield* startDaemon({
          worker: [join(fixture("."), "missing.sh")],
          settings: "[restart]\nmax_consecutive_restarts = 1\n"
        })
        const givenUp = daemon.status("it is given up", (data) => data.worker_status === "failed")
        yield* givenUp
        assert.match((yield* command({ home, args: ["status"] })).stdout, /^Worker status: {2}failed$/m)
        const begun = yield* command({ home, args: ["start-worker", "--no-wait"] })
        assert.deepStrictEqual([begun.code, begun.stdout], [0, "Worker is starting\n"])
        yield* givenUp
        const told = yield* command({ home, args: ["start-worker"] })
        assert.deepStrictEqual([told.code, told.stdout], [1, ""])
        assert.match(told.stderr, /^autopilotd: Worker is failed: .*missing\.sh.*\n$/)
        const json = yield* command({ home, args: ["start-worker", "--json"] })
        assert.isFalse(answerIn(json.stdout).success)
        assert.deepStrictEqual([json.code, json.stderr], [1, ""])
        const stopped = yield* command({ home, args: ["stop-worker"] })
        assert.deepStrictEqual([stopped.code, stopped.stdout], [0, "Worker is stopped: stopped by command\n"])
      })
  )

  it.scopedLive(
    "answers in a pipe have no escape sequences, and a reader that closes early is no error (D31)",
    () =>
      Effect.gen(function* () {
        const { home } = yield* startDaemon({ worker: [worker] })
        for (const args of [["status"], ["config", "check"]]) {
          const told = yield* command({ home, args, env: { TERM: "xterm-256color" } })
          assert.notMatch(told.stdout + told.stderr, /[^\n\P{Cc}]/u, args.join(" "))
        }
        for (const line of [
          "config check -- true | true",
          "nonsense --json | true",
          "--completions bash | head -1 >/dev/null"
        ]) {
          const script = `"$1" ${line}`
          const told = yield* command({ home, command: "bash", args: ["-c", script, "bash", launcher] })
          assert.strictEqual(told.stderr, "", line)
        }
        const closed = yield* command({
          home,
          command: "bash",
          args: ["-c", '"$1" status >&-; echo "code $?"', "bash", launcher]
        })
        assert.strictEqual(closed.stderr, "")
        assert.strictEqual(closed.stdout, "code 0\n")
      })
  )

  it.scopedLive(
    "a hostile folder name reaches terminal, log and JSON only with its control characters escaped",
    () =>
      Effect.gen(function* () {
        const home = join(yield* temporaryHome, "a\u001b[2J\u009b\u202e\n2026-11-29 ERROR forged")
        fs.mkdirSync(home)
        const daemon = yield* startDaemon({ home, args: ["--workdir", home], worker: [worker] })
        yield* daemon.status("it runs", (data) => data.worker_status === "running")
        const answers = yield* Effect.forEach(
          [["status"], ["status", "--json"], ["why", "--json"], ["config", "check", "--config", `${home}/x`]],
          (args) => command({ home, args })
        )
        const log = fs.readFileSync(join(home, "logs/autopilotd.log"), "utf8")
        const texts = [daemon.stderr(), log, ...answers.flatMap(({ stderr, stdout }) => [stderr, stdout])]
        for (const text of texts) {
          assert.notMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u)
          assert.notMatch(text, /^2026-11-29 ERROR forged/m)
        }
        const data: unknown = JSON.parse(answers[1]?.stdout ?? "").data
        assert.deepInclude(data, { working_dir: home })
      })
  )

  it.scopedLive("stop --no-wait returns while the daemon is still stopping its worker", () =>
    Effect.gen(function* () {
      const { home, ...daemon } = yield* startDaemon({
        worker: [fixture("ignores-term.sh")],
        settings: "[restart]\nstop_grace_ms = 600000\n"
      })
      yield* eventually("it is up", () => /up \d+/.exec(daemon.stdout()) ?? undefined)
      const told = yield* command({ home, args: ["stop", "--no-wait"] })
      assert.deepStrictEqual([told.code, told.stdout], [0, "Daemon shutting down\n"])
      yield* daemon.status("it is stopping", (data) => data.worker_status === "stopping")
      // The second one is a person in a hurry.
      assert.strictEqual((yield* command({ home, args: ["stop"] })).stdout, "Daemon stopped\n")
      assert.deepStrictEqual(yield* daemon.ended, { code: 0, signal: null })
    })
  )
})

describe("config check", () => {
  const example = [
    '[worker_command]\ntype = "Cargo"\n# type = "Binary"\n# path = "/usr/local/bin/autopilot"\n',
    'working_dir = "/home/user/code/openagents"\nproject = "openagents"\nmodel = "sonnet"',
    "max_budget = 300.0\nmax_turns = 99999\n",
    "[memory]\nmin_available_bytes = 268435456\ncritical_threshold_bytes = 134217728 # 128 MB",
    "poll_interval_ms = 5000               # 5 seconds\nnode_kill_threshold_bytes = 524288000\n",
    "[restart]\ninitial_backoff_ms = 1000\nmax_backoff_ms = 300000 # 5 minutes\nbackoff_multiplier = 2.0",
    "success_threshold_ms = 60000\nmax_consecutive_restarts = 10\n"
  ].join("\n")

  it.scopedLive("shows the settings of the example file, and the worker's command line", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.writeFileSync(join(home, "daemon.toml"), example)
      const told = yield* command({ home, args: ["config", "check"] })
      assert.deepStrictEqual([told.code, told.stderr], [0, ""])
      assert.match(told.stdout, /^ {2}project +"openagents" +file$/m)
      assert.match(told.stdout, /^ {2}restart\.jitter +0 +default$/m)
      assert.include(told.stdout, "cargo run -p autopilot --bin autopilot -- run --full-auto --model sonnet")
      assert.match(told.stdout, /[^\n]\n$/)
      const given = yield* command({ home, args: ["config", "--model", "opus", "check", "--json"] })
      const { success } = answerIn(given.stdout)
      assert.isTrue(success)
      assert.include(
        given.stdout,
        '{"key":"model","value":"opus","text":"\\"opus\\"","source":"command line"}'
      )
    })
  )

  it.scopedLive("names the place, the reason and the likely key of each error, as start does", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const file = join(home, "daemon.toml")
      fs.writeFileSync(file, example.replace("max_backoff_ms", "max_backof_ms"))
      const told = yield* command({ home, args: ["config", "check"] })
      assert.deepStrictEqual([told.code, told.stdout], [1, ""])
      assert.include(told.stderr, `${file}:`)
      assert.match(told.stderr, /max_backof_ms.*max_backoff_ms/)
      assert.notMatch(told.stderr, /\n\s+at /)
      const start = yield* command({ home, args: ["start"] })
      assert.deepStrictEqual([start.code, start.stderr], [1, told.stderr])
      const json = yield* command({ home, args: ["config", "check", "--json"] })
      assert.deepStrictEqual([json.code, json.stderr], [1, ""])
      assert.deepStrictEqual(answerIn(json.stdout), {
        success: false,
        message: told.stderr.replace(/^autopilotd: /, "").trimEnd()
      })
    })
  )

  it.scopedLive("shows the settings also without a worker, reports that once, and exits with 1", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const told = yield* command({ home, args: ["config", "check"] })
      assert.strictEqual(told.code, 1)
      assert.match(told.stdout, /^ {2}model +"sonnet" +default$/m)
      assert.notInclude(told.stdout, "There is no worker to start")
      assert.match(
        told.stderr,
        /^autopilotd: There is no worker to start: [^]*\n {2}autopilotd start -- CMD ARGS/
      )
      const json = yield* command({ home, args: ["config", "check", "--json"] })
      assert.isFalse(answerIn(json.stdout).success)
      assert.deepStrictEqual([json.code, json.stderr], [1, ""])
    })
  )

  it.scopedLive(
    "get prints the value that start would use, alone in a pipe, and with its source for a program",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        fs.writeFileSync(
          join(home, "daemon.toml"),
          '[restart]\njitter = 0.5\n[projects.blog]\n[projects.shop]\nmodel = "opus"\n[projects.shop.env]\nKEY = "secret"\n'
        )
        const got = (...args: ReadonlyArray<string>) => command({ home, args: ["config", "get", ...args] })
        for (const [args, stdout] of [
          [["restart.jitter"], "0.5\n"],
          [["model"], "sonnet\n"],
          [["model", "--project", "shop"], "opus\n"],
          [["projects.shop.model"], "opus\n"],
          [["max_budget_per_day"], "\n"]
        ] as const) {
          const told = yield* got(...args)
          assert.deepStrictEqual([told.code, told.stdout, told.stderr], [0, stdout, ""], args.join(" "))
        }
        const { data } = JSON.parse((yield* got("model", "-p", "shop", "--json")).stdout)
        assert.deepStrictEqual(data, {
          project: "shop",
          key: "model",
          value: "opus",
          text: '"opus"',
          source: "file [projects.shop]"
        })
        assert.notInclude((yield* got("env", "-p", "shop", "--json")).stdout, "secret")
        const slip = yield* got("restart.jiter")
        assert.deepStrictEqual(
          [slip.code, slip.stderr],
          [1, 'autopilotd: There is no setting "restart.jiter". Did you mean "restart.jitter"?\n']
        )
        const stranger = yield* got("model", "-p", "nope")
        assert.match(
          stranger.stderr,
          /There is no project "nope" in the settings\. The projects are: .*shop\./
        )
      })
  )
})

describe("help and version", () => {
  it.scopedLive("need no daemon and no home, and create none", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const { version } = JSON.parse(
        fs.readFileSync(join(import.meta.dirname, "../../../package.json"), "utf8")
      )
      for (const args of [["--version"], ["status", "-V"]]) {
        const told = yield* command({ home: join(home, "none"), cwd: home, args })
        assert.deepStrictEqual([told.code, told.stdout, told.stderr], [0, `autopilotd ${version}\n`, ""])
      }
      for (const args of [["--help"], ["help", "config", "check"]]) {
        const told = yield* command({ home: join(home, "none"), cwd: home, args })
        assert.deepStrictEqual([told.code, told.stderr], [0, ""])
        assert.match(told.stdout, /\nUsage:\s+autopilotd /)
      }
      assert.deepStrictEqual(fs.readdirSync(home), [])
    })
  )
})

describe("a user without a home", () => {
  const nobody = ["--reuid", "54321", "--regid", "54321", "--clear-groups", launcher]
  const without = { AUTOPILOT_HOME: undefined, HOME: undefined }
  unlessMissing(notRoot)("gets the variable to set, and needs none with AUTOPILOT_HOME", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.chownSync(home, 54321, 54321)
      const as = (args: ReadonlyArray<string>, env: Readonly<Record<string, string | undefined>>) =>
        command({ home, command: "setpriv", args: [...nobody, ...args], env: { ...without, ...env } })
      for (const [env, cause] of [
        [{}, "HOME is not set, and the system knows no home of user 54321"],
        [{ HOME: "" }, "HOME is empty"],
        [{ HOME: "here" }, 'HOME is "here", which is not an absolute path']
      ] as const) {
        for (const args of [["status"], ["start", "--", worker]]) {
          const told = yield* as(args, env)
          assert.strictEqual(
            told.stderr,
            `autopilotd: There is no home folder: ${cause}. Set HOME to an absolute path; for the daemon's own files AUTOPILOT_HOME is enough.\n`
          )
          assert.strictEqual(told.code, 1)
        }
      }
      assert.deepStrictEqual(fs.readdirSync(home), [])
      assert.strictEqual((yield* as(["--version"], {})).code, 0)
      const withHome = { AUTOPILOT_HOME: join(home, "ap") }
      const check = yield* as(["config", "check", "--workdir", "~/x", "--", worker], withHome)
      assert.match(check.stderr, /working_dir is "~\/x", and there is no home folder: set HOME to/)
      assert.match((yield* as(["status"], withHome)).stderr, /^autopilotd: No daemon is listening on /)
    })
  )
})
