import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { daemonLog } from "../daemon/OtherStarts.ts"
import {
  ask,
  command,
  eventually,
  exchange,
  fixture,
  isAlive,
  startDaemon,
  temporaryHome,
  workersOf
} from "../TestDaemon.ts"
import { alive, treeNames, treeUp } from "../tree/GrownTree.ts"
import {
  inState,
  pidOf,
  pidsOf,
  processesOf,
  project,
  request,
  rowOf,
  rows
} from "../worker/SeveralProjects.ts"

const sleeps = [fixture("sleeps.sh")]
const settingsFile = (home: string) => join(home, "daemon.toml")

/** As an editor does it: a new file in the place of the old one. */
const writeByRename = (home: string, text: string): void => {
  fs.writeFileSync(join(home, "edited"), text)
  fs.renameSync(join(home, "edited"), settingsFile(home))
}

const reload = (home: string, ...args: ReadonlyArray<string>) => command({ home, args: ["reload", ...args] })

const namesOf = (home: string) => Effect.map(rows(home), (all) => all.map(({ name }) => name))

/** The projects as the daemon tells them, once they are these. */
const namesAre = (home: string, ...names: ReadonlyArray<string>) =>
  eventually(
    `the projects are ${names.join(", ")}`,
    Effect.map(namesOf(home), (now) => (now.join() === names.join() ? now : undefined))
  )

/** Waits until a process is this command: its first moments are a shell's. */
const runs = (pid: number | null, argv: ReadonlyArray<string>) =>
  eventually(
    `${pid} is ${argv.join(" ")}`,
    () => fs.readFileSync(`/proc/${pid}/cmdline`, "utf8") === `${argv.join("\0")}\0`
  )

const statusOf = (home: string, project: string) =>
  Effect.flatMap(request(home, { type: "Status", project }), ({ data }) => Effect.fromNullable(data))

describe("a reload", () => {
  it.scopedLive(
    "starts a new project, stops a removed one's whole process tree, and leaves the others alone",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const head = "restart = { stop_grace_ms = 200 }\n"
        const before = head + project("stays", sleeps) + project("goes", [fixture("grows-a-tree.sh")])
        const after = head + project("comes", sleeps) + project("stays", sleeps)
        const daemon = yield* startDaemon({ home, settings: before })
        const tree = yield* treeUp(daemon, 1, treeNames)
        const stays = yield* pidOf(home, "stays")

        writeByRename(home, after)
        const { code, stdout } = yield* reload(home)
        assert.strictEqual(code, 0)
        assert.match(stdout, /^Projects added: comes\nProjects removed: goes$/m)
        const comes = yield* pidOf(home, "comes")
        yield* namesAre(home, "comes", "stays")
        assert.deepStrictEqual(alive(tree.values()), [])
        assert.deepStrictEqual(workersOf(home).toSorted(), [comes, stays].toSorted())
        assert.match(daemonLog(home), /goes: Removed by the settings; all its processes have exited/)

        writeByRename(home, before)
        const { data, success } = yield* request(home, { type: "ReloadConfig" })
        assert.isTrue(success)
        assert(data !== undefined && "projects_added" in data)
        assert.deepStrictEqual([data.projects_added, data.projects_removed], [["goes"], ["comes"]])
        yield* namesAre(home, "stays", "goes")
        yield* treeUp(daemon, 2, treeNames)
        assert.isFalse(isAlive(comes))
        assert.strictEqual(yield* pidOf(home, "stays"), stays)
        assert.strictEqual((yield* ask(home, { type: "Status" })).data?.daemon_pid, daemon.pid)
      })
  )

  it.scopedLive("brings another backoff and grace period into force at once", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const settings = (restart: string) =>
        `restart = { ${restart}, max_consecutive_restarts = 100000 }\n` +
        project("crashes", [fixture("ends.sh"), "0", "3"]) +
        project("deaf", [fixture("ignores-term.sh")])
      const slow = "initial_backoff_ms = 300000, stop_grace_ms = 600000"
      const daemon = yield* startDaemon({ home, settings: settings(slow) })
      yield* inState(home, "crashes", "restarting")
      yield* eventually("it is deaf to SIGTERM", () => daemon.stdout().includes("deaf| up"))
      const deaf = yield* pidOf(home, "deaf")
      fs.writeFileSync(
        settingsFile(home),
        settings("initial_backoff_ms = 20, max_backoff_ms = 20, stop_grace_ms = 100")
      )
      const { stdout } = yield* reload(home)
      assert.match(stdout, /^In force now:$/m)
      assert.match(stdout, /^ {2}restart\.initial_backoff_ms: 300000 -> 20$/m)
      assert.notInclude(stdout, "until:")
      yield* rowOf(home, "crashes", "crashes on", ({ total_restarts }) => total_restarts >= 3)
      assert.strictEqual(yield* pidOf(home, "deaf"), deaf)
      const stopped = yield* command({ home, args: ["stop-worker", "--project", "deaf"] })
      assert.strictEqual(stopped.stdout, "Worker of deaf is stopped: stopped by command\n")
      assert.isFalse(isAlive(deaf))
    })
  )

  it.scopedLive("reports what a worker has to be restarted for, and restarts only the named ones", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const settings = (seconds: string, ...lines: ReadonlyArray<string>) =>
        project("one", ["sleep", seconds], ...lines) + project("two", ["sleep", seconds], ...lines)
      const old = ["sleep", "1000001"]
      const fresh = ["sleep", "1000002"]
      yield* startDaemon({ home, settings: settings("1000001") })
      const [one = 0, two = 0] = yield* pidsOf(home, "one", "two")
      fs.writeFileSync(settingsFile(home), settings("1000002", 'env = { SECRET = "hush" }'))

      const said = yield* reload(home)
      assert.strictEqual(said.code, 0)
      assert.match(
        said.stdout,
        /^At the next start of the worker:\n(?: {2}.*\n)*? {2}projects\.one\.worker_command\.argv: \["sleep", "1000001"\] -> \["sleep", "1000002"\]$/m
      )
      assert.include(
        said.stdout,
        "one and two keep their earlier settings until their next start: autopilotd reload --restart\n"
      )
      assert.notInclude(said.stdout, "hush")
      assert.deepStrictEqual(yield* pidsOf(home, "one", "two"), [one, two])
      for (const [name, pid] of [
        ["one", one],
        ["two", two]
      ] as const) {
        const status = yield* statusOf(home, name)
        assert.deepStrictEqual(status.awaiting_restart, ["worker_command", "env"])
        assert.deepStrictEqual(status.worker_command, old)
        yield* runs(pid, old)
      }

      assert.include(
        (yield* command({ home, args: ["status", "--project", "two"] })).stdout,
        "\nSettings changed: worker_command, env; effective at the next start (autopilotd restart-worker --project two)\n"
      )

      const first = yield* reload(home, "--restart", "--project", "one")
      assert.include(first.stdout, "Workers restarted: one\n")
      assert.include(first.stdout, "two keeps its earlier settings until its next start: ")
      const newer = yield* rowOf(
        home,
        "one",
        "runs anew",
        ({ worker_pid }) => ![null, one].includes(worker_pid)
      )
      yield* runs(newer.worker_pid, fresh)
      const status = yield* statusOf(home, "one")
      assert.deepStrictEqual([status.awaiting_restart, status.worker_command], [[], fresh])
      assert.strictEqual(yield* pidOf(home, "two"), two)
      assert.deepStrictEqual((yield* statusOf(home, "two")).worker_command, old)

      const second = yield* reload(home, "--restart")
      assert.include(second.stdout, "Workers restarted: two\n")
      const last = yield* rowOf(
        home,
        "two",
        "runs anew",
        ({ worker_pid }) => ![null, two].includes(worker_pid)
      )
      yield* runs(last.worker_pid, fresh)
      assert.strictEqual(yield* pidOf(home, "one"), newer.worker_pid)
      assert.strictEqual((yield* reload(home, "--restart")).stdout, "Nothing has changed.\n")
      const pids: ReadonlyArray<number | null> = yield* pidsOf(home, "one", "two")
      assert.deepStrictEqual(pids, [newer.worker_pid, last.worker_pid])
    })
  )

  it.scopedLive(
    "of an invalid file changes nothing, and reports where and why on the terminal and in the log",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const good = project("shop", sleeps) + project("shed", sleeps)
        yield* startDaemon({ home, settings: good })
        const before = yield* pidsOf(home, "shop", "shed")
        const cases: ReadonlyArray<readonly [text: string, said: RegExp]> = [
          [
            `${project("shop", sleeps)}[restart]\nmax_backof_ms = 5\n`,
            /^autopilotd: \S+daemon\.toml:4:1: restart\.max_backof_ms is not a setting.*max_backoff_ms/
          ],
          [`${good}[projects.shop\n`, /^autopilotd: \S+daemon\.toml:5:\d+: /],
          [`${good}[projects.idle]\n`, /^autopilotd: .*There is no worker to start for the project idle/],
          ["", /^autopilotd: .*There is no worker to start/]
        ]
        for (const [text, said] of cases) {
          fs.writeFileSync(settingsFile(home), text)
          const { code, stderr, stdout } = yield* reload(home, "--restart")
          assert.deepStrictEqual([code, stdout], [1, ""], text)
          assert.match(stderr, said)
          const { data, success } = yield* request(home, { type: "ReloadConfig" })
          assert.isFalse(success)
          assert(data !== undefined && "problems" in data)
        }
        assert.deepStrictEqual(yield* namesOf(home), ["shop", "shed"])
        assert.deepStrictEqual(yield* pidsOf(home, "shop", "shed"), before)
        assert.match(
          daemonLog(home),
          /ERROR Settings not reloaded \(requested on the control socket\), the previous ones stay in force: .*max_backof_ms/
        )
      })
  )
})

describe("watch_config", () => {
  it.scopedLive("reloads after an edit, by renaming or in place; an invalid one changes nothing", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const head = "watch_config = true\n"
      const stays = project("stays", sleeps)
      const daemon = yield* startDaemon({ home, settings: head + stays })
      const pid = yield* pidOf(home, "stays")
      writeByRename(home, head + stays + project("second", sleeps))
      const second = yield* pidOf(home, "second")
      fs.appendFileSync(settingsFile(home), "[projects.stays.restart]\njitte = 0.1\n")
      yield* daemon.logged(/ERROR Settings not reloaded \(the file has changed\).*daemon\.toml:7.*jitte/)
      assert.deepStrictEqual(yield* namesOf(home), ["stays", "second"])
      assert.deepStrictEqual(yield* pidsOf(home, "stays", "second"), [pid, second])
      fs.writeFileSync(settingsFile(home), head + project("third", sleeps) + stays)
      yield* pidOf(home, "third")
      yield* namesAre(home, "third", "stays")
      assert.deepStrictEqual(processesOf(home, "second"), [])
      assert.strictEqual(yield* pidOf(home, "stays"), pid)
    })
  )
})

describe("thirty reloads at once, with commands, while a worker crashes", () => {
  it.scopedLive("end with each project of the last file running once, and nothing else", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const head =
        "restart = { initial_backoff_ms = 20, max_backoff_ms = 20, max_consecutive_restarts = 100000, stop_grace_ms = 50 }\n"
      const crashes = project("crashes", [fixture("ends.sh"), "0.05", "3"])
      const deaf = [fixture("ignores-term.sh")]
      const texts = [
        head + project("stays", sleeps) + crashes + project("odd", deaf),
        head + project("even", deaf) + crashes + project("stays", ["sleep", "1000001"]),
        head + crashes + project("stays", sleeps) + project("even", sleeps) + project("odd", deaf)
      ]
      const last = head + project("stays", sleeps) + project("even", deaf) + project("new", sleeps)
      const daemon = yield* startDaemon({ home, settings: texts[0] ?? "" })
      yield* rowOf(home, "crashes", "crashes on", ({ total_restarts }) => total_restarts >= 2)

      const types = ["RestartWorker", "StopWorker", "StartWorker", "Status", "SelectProject", "Projects"]
      let edits = 0
      const edit = Effect.sync(() => writeByRename(home, texts[edits++ % texts.length] ?? ""))
      const editor = yield* Effect.fork(Effect.forever(Effect.zipRight(edit, Effect.sleep("4 millis"))))
      const sent = Array.from({ length: 30 }, (_, at) => [
        { type: "ReloadConfig", restart: at % 3 === 0 },
        { type: types[at % types.length], project: ["stays", "odd", "even", "crashes"][at % 4] }
      ]).flat()
      const answers = yield* Effect.forEach(sent, (one) => exchange(home, one), { concurrency: "unbounded" })
      yield* Fiber.interrupt(editor)
      for (const answer of answers) assert.match(answer, /^\{"success":(true|false),"message":".+\}\n$/)

      writeByRename(home, last)
      assert.strictEqual((yield* reload(home, "--restart")).code, 0)
      yield* namesAre(home, "stays", "even", "new")
      for (const name of ["stays", "even", "new"]) {
        yield* command({ home, args: ["start-worker", "--project", name] })
      }
      const pids = yield* pidsOf(home, "stays", "even", "new")
      assert.deepStrictEqual(workersOf(home).toSorted(), pids.toSorted())
      const { data } = yield* daemon.ask({ type: "Status" })
      assert.deepStrictEqual([data?.daemon_pid, data?.degraded], [daemon.pid, []])
    })
  )
})
