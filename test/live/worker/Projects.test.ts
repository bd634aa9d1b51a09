import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { daemonLog } from "../daemon/OtherStarts.ts"
import { command, eventually, fixture, startDaemon, temporaryHome, workersOf } from "../TestDaemon.ts"
import { alive } from "../tree/GrownTree.ts"
import {
  inState,
  pidOf,
  pidsOf,
  processesOf,
  project,
  request,
  rowOf,
  rows,
  saidOf
} from "./SeveralProjects.ts"

const sleeps = [fixture("sleeps.sh")]
const deaf = [fixture("ignores-term.sh")]

/** Crashes for ever, many times a second. */
const crashing =
  "restart = { initial_backoff_ms = 20, max_backoff_ms = 20, max_consecutive_restarts = 100000 }"

/** What a worker that runs tells.sh has written about itself. */
const told = (path: string) =>
  eventually(`${path} is written`, () =>
    fs.existsSync(path) ? fs.readFileSync(path, "utf8").split("\n") : undefined
  )

describe("several projects under one daemon", () => {
  it.scopedLive("a project that crashes for ever and one that floods its output do not affect a third", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const over = join(home, "over")
      const settings = [
        project("calm", sleeps),
        project("crashes", [fixture("ends.sh"), "0", "7"], crashing),
        project("floods", [fixture("floods.mjs"), "200", "5", over])
      ].join("")
      yield* startDaemon({ home, settings })
      const pid = yield* pidOf(home, "calm")
      yield* rowOf(home, "crashes", "has crashed five times", ({ total_restarts }) => total_restarts >= 5)
      yield* eventually("the flood is over", () => fs.existsSync(over))
      const calm = yield* inState(home, "calm", "running")
      assert.deepStrictEqual([calm.worker_pid, calm.total_restarts, calm.consecutive_failures], [pid, 0, 0])
      assert.deepStrictEqual(processesOf(home, "calm"), [pid])
    })
  )

  it.scopedLive(
    "each project has its own environment, env file, log, saved state, worker id and backoff",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const paper = (name: string) => join(home, `${name}.told`)
        fs.writeFileSync(join(home, "blue.env"), "CLAUDE_CONFIG_DIR=/agents/blue\nBLUE_KEY=b\n")
        const settings = [
          'env = { SHARED = "by all" }\n',
          project("red", [fixture("tells.sh"), paper("red")], 'env = { CLAUDE_CONFIG_DIR = "/agents/red" }'),
          project("blue", [fixture("tells.sh"), paper("blue")], 'env_file = "blue.env"'),
          project("waits", [fixture("ends.sh"), "0", "3"], "restart = { initial_backoff_ms = 300000 }"),
          project("fails", [fixture("ends.sh"), "0", "4"], "restart = { max_consecutive_restarts = 1 }")
        ].join("")
        yield* startDaemon({ home, settings })
        const red = yield* told(paper("red"))
        const blue = yield* told(paper("blue"))
        assert.includeMembers(red, ["CLAUDE_CONFIG_DIR=/agents/red", "SHARED=by all"])
        assert.includeMembers(blue, ["CLAUDE_CONFIG_DIR=/agents/blue", "SHARED=by all", "BLUE_KEY=b"])
        assert.notInclude(red, "BLUE_KEY=b")

        const waits = yield* inState(home, "waits", "restarting")
        assert.isDefined(waits.next_start_at_ms)
        const fails = yield* inState(home, "fails", "failed")
        assert.deepStrictEqual([waits.consecutive_failures, fails.consecutive_failures], [1, 1])
        const calm = yield* inState(home, "blue", "running")
        assert.strictEqual(calm.consecutive_failures, 0)

        const homeId = fs.readFileSync(join(home, "id"), "utf8").trim()
        for (const name of ["red", "blue", "waits", "fails"]) {
          assert.isTrue(fs.existsSync(join(home, "logs", name, "worker.log")), name)
          const saved: unknown = JSON.parse(fs.readFileSync(join(home, "state", `${name}.json`), "utf8"))
          assert(typeof saved === "object" && saved !== null && "workerId" in saved)
          assert.match(String(saved.workerId), new RegExp(`^${homeId}:${name}:[0-9a-f-]{36}$`))
        }
        assert.include(red.join("\n"), `AUTOPILOT_WORKER_ID=${homeId}:red:`)
      })
  )

  it.scopedLive("--project selects the worker, and the other worker keeps running", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* startDaemon({ home, settings: project("shop", sleeps) + project("shed", sleeps) })
      const [shop, shed] = yield* pidsOf(home, "shop", "shed")
      const shedBy = (...args: ReadonlyArray<string>) =>
        command({ home, args: [...args, "--project", "shed"] })
      assert.match((yield* shedBy("status")).stdout, new RegExp(`^Worker PID: +${shed}$`, "m"))
      assert.strictEqual(
        (yield* shedBy("stop-worker")).stdout,
        "Worker of shed is stopped: stopped by command\n"
      )
      assert.match((yield* shedBy("start-worker")).stdout, /^Worker of shed is running, pid \d+\n$/)
      const second = yield* pidOf(home, "shed")
      assert.match(
        (yield* command({ home, args: ["restart-worker", "shed"] })).stdout,
        /^Worker of shed is running, pid \d+\n$/
      )
      const third = yield* pidOf(home, "shed")
      assert.strictEqual(new Set([shop, shed, second, third]).size, 4)
      assert.deepStrictEqual(processesOf(home, "shed"), [third])
      assert.strictEqual(yield* pidOf(home, "shop"), shop)
      const used = yield* command({ home, args: ["use", "shed"] })
      assert.deepStrictEqual([used.code, used.stdout], [0, "Selected shed. Its worker is running\n"])
      assert.match(
        (yield* command({ home, args: ["status"] })).stdout,
        new RegExp(`^Worker PID: +${third}$`, "m")
      )
      const now = yield* pidsOf(home, "shop", "shed")
      assert.deepStrictEqual([...now], [shop, third])
      const unknown = yield* command({ home, args: ["use", "shep"] })
      assert.deepStrictEqual([unknown.code, unknown.stdout], [1, ""])
      const both = yield* command({ home, args: ["stop-worker", "shed", "shop"] })
      const sentence = (name: string) => `Worker of ${name} is stopped: stopped by command\n`
      assert.deepStrictEqual([both.code, both.stdout], [0, sentence("shed") + sentence("shop")])
      const twice = yield* command({ home, args: ["status", "shop", "--project", "shed"] })
      assert.deepStrictEqual([twice.code, twice.stdout], [2, ""])
    })
  )

  it.scopedLive("an unknown project is refused with the names of the known ones", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* startDaemon({ home, settings: project("shop", sleeps) + project("shed", sleeps) })
      const before = yield* pidsOf(home, "shop", "shed")
      const told = 'autopilotd: There is no project "shep" here. The projects are: shop, shed.\n'
      for (const line of [
        "status --project shep",
        "start-worker --project shep",
        "stop-worker --project shep",
        "restart-worker --project shep",
        "projects --project shep",
        "reload --restart --project shep",
        "switch shep"
      ]) {
        const { code, stderr, stdout } = yield* command({ home, args: line.split(" ") })
        assert.deepStrictEqual([code, stdout, stderr], [1, "", told], line)
      }
      assert.deepStrictEqual(yield* pidsOf(home, "shop", "shed"), before)
      assert.strictEqual((yield* request(home, { type: "Projects" })).data?.selected, "shop")
    })
  )

  it.scopedLive("an invalid project name is refused with its line in the file", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const names = ['"../shop"', '"a b"', "-shop", '"autopilotd.log"', '""']
      const lines = [...names.map((name) => `[projects.${name}]`), "[projects.shop]", "[projects.default]"]
      const text = `worker_command = { type = "Command", argv = ["true"] }\n${lines.join("\n")}\n`
      fs.writeFileSync(join(home, "daemon.toml"), text)
      for (const args of [["start"], ["config", "check"]]) {
        const { code, stderr } = yield* command({ home, args })
        assert.strictEqual(code, 1)
        const refused = [
          ...stderr.matchAll(/daemon\.toml:(\d+): projects\.(\S+|"a b") is (not a name|the name of)/g)
        ]
        assert.deepStrictEqual(
          refused.map(([, line, name]) => [line, name]),
          [...names, "default"].map((name, at) => [String(name === "default" ? 8 : at + 2), name])
        )
      }
    })
  )

  it.scopedLive("a project that cannot start costs the others nothing, and says what to do", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const settings = (key: string) =>
        project("calm", sleeps) + project("neu", sleeps, `${key} = 3`) + "[projects.bare]\n"
      yield* startDaemon({ home, settings: settings("max_turnz") })
      const pid = yield* pidOf(home, "calm")
      const said = yield* saidOf(home, "neu", "why")
      assert.include(
        said,
        "max_turnz is not a setting. Did you mean projects.neu.max_turns? Correct it (autopilotd config edit), then run: autopilotd reload"
      )
      assert.notInclude(said, "start-worker")
      assert.include(
        yield* saidOf(home, "bare", "status"),
        "autopilotd config set --project bare worker_command"
      )
      assert.match(
        (yield* command({ home, args: ["projects"] })).stdout,
        /calm +running[^]*neu +failed[^]*bare +failed/
      )
      const doctor = yield* command({ home, args: ["doctor"] })
      assert.match(doctor.stdout, /max_turnz/)

      // The advice is followed.
      const worker = `{ type = "Command", argv = ${JSON.stringify(sleeps)} }`
      yield* command({ home, args: ["config", "set", "--project", "bare", "worker_command", worker] })
      const text = fs.readFileSync(join(home, "daemon.toml"), "utf8").replace("max_turnz", "max_turns")
      fs.writeFileSync(join(home, "daemon.toml"), text)
      yield* command({ home, args: ["reload"] })
      yield* pidsOf(home, "neu", "bare")
      assert.strictEqual(yield* pidOf(home, "calm"), pid)
    })
  )
})

describe("the end of the daemon", () => {
  it.scopedLive(
    "after kill -9 the next start kills the leftovers of all projects, and runs each project once",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const looking = [fixture("looks-around.sh")]
        const settings = [
          "restart = { stop_grace_ms = 200 }\n",
          project("one", looking),
          project("two", [fixture("grows-a-tree.sh")]),
          project("three", looking),
          project("off", looking, "autostart = false")
        ].join("")
        const first = yield* startDaemon({ home, settings })
        yield* pidsOf(home, "one", "two", "three")
        yield* eventually(
          "all are up",
          () =>
            (/tree is up/.test(first.stdout()) &&
              /one\| up/.test(first.stdout()) &&
              /three\| up/.test(first.stdout())) ||
            undefined
        )
        const before = workersOf(home)
        assert.isAtLeast(before.length, 2 + 5 + 2)
        first.child.kill("SIGKILL")
        yield* first.ended
        assert.deepStrictEqual(alive(before), before)

        const second = yield* startDaemon({ home, args: ["--keep-state"] })
        const pids = yield* pidsOf(home, "one", "two", "three")
        assert.deepStrictEqual(alive(before), [])
        yield* eventually(
          "all are up again",
          () => /one\| up/.test(second.stdout()) && /three\| up/.test(second.stdout())
        )
        const seen = [...second.stdout().matchAll(/others alive:(.*)/g)].flatMap(([, text]) =>
          text?.trim().split(" ")
        )
        assert.deepStrictEqual(
          seen.filter((pid) => before.includes(Number(pid))),
          []
        )
        for (const [at, name] of ["one", "two", "three"].entries()) {
          const leaders = processesOf(home, name).filter((pid) => pids.includes(pid))
          assert.deepStrictEqual(leaders, [pids[at]])
        }
        assert.deepStrictEqual(processesOf(home, "off"), [])
        assert.deepStrictEqual(
          (yield* rows(home)).map(({ name, worker_status }) => `${name} ${worker_status}`),
          ["one running", "two running", "three running", "off stopped"]
        )
      })
  )

  it.scopedLive(
    "kills the process trees of all projects, also of a removed one and of one that is switched away from",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const grace = "restart = { stop_grace_ms = 600000 }\n"
        const [left, next, runs] = [
          project("left", deaf),
          project("next", deaf, "autostart = false"),
          project("runs", [fixture("grows-a-tree.sh")])
        ]
        const daemon = yield* startDaemon({
          home,
          settings: grace + left + next + runs + project("gone", deaf)
        })
        yield* pidsOf(home, "left", "runs", "gone")
        yield* eventually(
          "all are deaf to SIGTERM",
          () =>
            ["left| up", "gone| up", "runs| tree is up"].every((text) => daemon.stdout().includes(text)) ||
            undefined
        )
        const switched = yield* command({ home, args: ["switch", "next", "--no-wait"] })
        assert.strictEqual(
          switched.stdout,
          "Switched from left to next. Worker is waiting: the worker of left is being stopped first\n"
        )
        fs.writeFileSync(join(home, "daemon.toml"), grace + left + next + runs)
        assert.match((yield* command({ home, args: ["reload"] })).stdout, /^Projects removed: gone$/m)
        yield* inState(home, "gone", "stopping")
        yield* inState(home, "left", "stopping")
        yield* inState(home, "next", "waiting")
        const trees = workersOf(home)
        assert.isAtLeast(trees.length, 1 + 1 + 5)

        daemon.child.kill("SIGTERM")
        yield* daemon.logged(/Shutting down: SIGTERM/)
        daemon.child.kill("SIGINT")
        assert.deepStrictEqual(yield* daemon.ended, { code: 0, signal: null })
        assert.deepStrictEqual(workersOf(home), [])
        assert.deepStrictEqual(alive(trees), [])
        assert.match(daemonLog(home), /Stopped; all workers have exited\n$/)
        assert.notMatch(daemonLog(home), /next: Worker started/)
      })
  )
})
