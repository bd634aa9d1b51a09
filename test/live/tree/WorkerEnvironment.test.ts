import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { command, eventually, fixture, launcher, run, startDaemon, temporaryHome } from "../TestDaemon.ts"

/** What a worker that runs tells.sh has written about itself. */
const told = (path: string) =>
  eventually("the worker has told about itself", () =>
    fs.existsSync(path) ? fs.readFileSync(path, "utf8") : undefined
  )

const valueOf = (text: string, name: string): string | undefined =>
  new RegExp(`^${name}[= ](.*)$`, "m").exec(text)?.at(1)

/** What the descriptors of a process lead to. */
const targetsOf = (pid: number): ReadonlyArray<string> =>
  fs.readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return [fs.readlinkSync(`/proc/${pid}/fd/${name}`)]
    } catch {
      return [] // closed meanwhile, as the one that lists the folder
    }
  })

/** All that a home holds as text, its env file left out: logs, state, history, everything. */
const everythingWritten = (home: string, except: ReadonlyArray<string>): string =>
  fs
    .readdirSync(home, { recursive: true, encoding: "utf8" })
    .filter((path) => !except.includes(path) && fs.statSync(join(home, path)).isFile())
    .map((path) => fs.readFileSync(join(home, path), "latin1"))
    .join("\n")

const foreign = {
  NOTIFY_SOCKET: "/run/notify",
  WATCHDOG_USEC: "1000",
  WATCHDOG_PID: "1",
  LISTEN_FDS: "1",
  LISTEN_PID: "1",
  INVOCATION_ID: "abc",
  JOURNAL_STREAM: "8:1",
  npm_config_cache: "/cache",
  npm_lifecycle_event: "start",
  INIT_CWD: "/elsewhere",
  AUTOPILOTD_NOHUP: "1"
}

/** What the agent's own Node is to read. */
const forAgent = {
  NODE_OPTIONS: "--require /gone/bootloader.js",
  NODE_EXTRA_CA_CERTS: "/etc/corporate ca.pem"
}

describe("the environment of a worker", () => {
  it.scopedLive(
    "has the caller's variables and the marks of supervision, without those for the daemon alone",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const paper = join(home, "paper")
        const daemon = yield* startDaemon({
          home,
          worker: [fixture("tells.sh"), paper],
          env: { ...foreign, ...forAgent, AGENT_KEY: "from the caller", "my-var": "2" }
        })
        const { worker_id } = yield* daemon.status("it runs", (data) => data.worker_status === "running")
        const text = yield* told(paper)
        assert.strictEqual(valueOf(text, "AGENT_KEY"), "from the caller")
        // The daemon would not even start with this option.
        for (const [name, value] of Object.entries(forAgent)) assert.strictEqual(valueOf(text, name), value)
        assert.notMatch(
          fs.readFileSync(`/proc/${daemon.pid}/environ`, "latin1"),
          /(^|\0)NODE_(OPTIONS|EXTRA)/
        )
        assert.strictEqual(valueOf(text, "AUTOPILOTD_SUPERVISED"), "1")
        assert.strictEqual(valueOf(text, "AUTOPILOT_WORKER_ID"), worker_id)
        assert.match(
          worker_id ?? "",
          new RegExp(`^${fs.readFileSync(join(home, "id"), "utf8").trim()}:default:[0-9a-f-]{36}$`)
        )
        for (const name of Object.keys(foreign)) assert.isUndefined(valueOf(text, name), name)
        assert.notMatch(text, /^(npm_|AUTOPILOTD_(?!SUPERVISED=))/m)
        // What a shell drops on the way is told.
        const isTold = /does not get \d+ variables? \(.*my-var.*\) of the daemon's environment/.test(
          daemon.stderr()
        )
        assert.isTrue(isTold || valueOf(text, "my-var") === "2")
      })
  )

  it.scopedLive(
    "has an empty standard input, no descriptor of the daemon, its own session and its folder",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const paper = join(home, "paper")
        const folder = fs.realpathSync(home)
        const daemon = yield* startDaemon({
          home,
          args: ["--workdir", folder],
          worker: [fixture("tells.sh"), paper]
        })
        const text = yield* told(paper)
        assert.strictEqual(valueOf(text, "stdin"), "/dev/null")
        assert.strictEqual(valueOf(text, "folder"), folder)
        const [session, pid] = valueOf(text, "session-leader")?.split(" ") ?? []
        assert.strictEqual(session, pid)
        const heldByWorker = [...text.matchAll(/^descriptor (.*)$/gm)].map(([, target]) => target ?? "")
        const ours = targetsOf(daemon.pid).filter((target) => !targetsOf(process.pid).includes(target))
        assert.include(ours.join(), "autopilotd.lock")
        assert.deepStrictEqual(
          heldByWorker.filter((target) => ours.includes(target)),
          []
        )
      })
  )

  it.scopedLive("has the caller's soft open-files limit, and none of its open files (D26)", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const paper = join(home, "paper")
      yield* run({
        home,
        command: "/bin/bash",
        args: [
          "-c",
          'exec 7</etc/passwd 17</etc/passwd 200</etc/passwd; ulimit -S -n 256 && exec "$0" "$@"',
          launcher,
          "start",
          "--",
          fixture("tells.sh"),
          paper
        ]
      })
      const text = yield* told(paper)
      assert.strictEqual(valueOf(text, "soft-open-files"), "256")
      assert.notInclude(text, "descriptor /etc/passwd")
    })
  )

  it.scopedLive("has a higher OOM score, so that the kernel kills the worker before the daemon", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const paper = join(home, "paper")
      const daemon = yield* startDaemon({ home, worker: [fixture("tells.sh"), paper] })
      const score = Number(valueOf(yield* told(paper), "oom-score-adj"))
      assert.isAbove(score, Number(fs.readFileSync(`/proc/${daemon.pid}/oom_score_adj`, "utf8")))
    })
  )
})

describe("the env file", () => {
  it.scopedLive("is read before every start: a rotated key works at the next one", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const paper = join(home, "paper")
      const envFile = join(home, "env")
      const secrets = ["sk-first-0cfb1", "sk-second-77a2e"] as const
      fs.writeFileSync(envFile, `AGENT_KEY="${secrets[0]}"\n`, { mode: 0o600 })
      const daemon = yield* startDaemon({
        home,
        worker: [fixture("tells.sh"), paper],
        env: { AGENT_KEY: "the caller's" }
      })
      assert.strictEqual(valueOf(yield* told(paper), "AGENT_KEY"), secrets[0])
      fs.writeFileSync(envFile, `AGENT_KEY=${secrets[1]}\nthis is not a variable\n`)
      fs.rmSync(paper)
      yield* command({ home, args: ["restart-worker"] })
      assert.strictEqual(valueOf(yield* told(paper), "AGENT_KEY"), secrets[1])
      yield* daemon.logged(/env:2: this line /)

      const answers = yield* Effect.forEach(["Status", "GetMetrics", "StopWorker"], (type) =>
        daemon.ask({ type })
      )
      const shown = yield* Effect.forEach([["status"], ["status", "--json"], ["config", "check"]], (args) =>
        command({ home, args })
      )
      daemon.child.kill("SIGTERM")
      yield* daemon.ended
      const everything = [
        JSON.stringify([answers, shown]),
        daemon.stdout(),
        daemon.stderr(),
        everythingWritten(home, ["env", "paper"])
      ].join("\n")
      for (const secret of secrets) assert.notInclude(everything, secret)
    })
  )

  it.scopedLive("causes a warning when others can read it", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.writeFileSync(join(home, "env"), "A=1\n", { mode: 0o644 })
      const daemon = yield* startDaemon({ home, worker: [fixture("sleeps.sh")] })
      yield* daemon.logged(/Other users can read .*env, which may hold secrets\. Run: chmod 600 /)
    })
  )
})
