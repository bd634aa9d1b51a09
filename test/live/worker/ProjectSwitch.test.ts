import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  command,
  eventually,
  fixture,
  launcher,
  startDaemon,
  type TestDaemon,
  temporaryHome
} from "../TestDaemon.ts"
import { alive, treeNames, treeUp } from "../tree/GrownTree.ts"
import { inState, pidOf, processesOf, project, request, rowOf, rows } from "./SeveralProjects.ts"

const sleeps = [fixture("sleeps.sh")]
const looks = [fixture("looks-around.sh")]
const off = "autostart = false"

/** Waits until the daemon's output has a match. */
const said = (daemon: TestDaemon, pattern: RegExp) =>
  eventually(`${pattern} is said`, () => pattern.exec(daemon.stdout())?.at(1))

/** Runs a command on a terminal, at which one line is typed. */
const onTerminal = (home: string, typed: string, line: string) =>
  command({
    home,
    command: "bash",
    args: ["-c", `echo ${typed} | exec script -qefc '"$LAUNCHER" ${line}' /dev/null`],
    env: { LAUNCHER: launcher, AUTOPILOT_HOME: home }
  })

const statesOf = (home: string) =>
  Effect.map(rows(home), (all) => all.map(({ name, worker_status }) => `${name} ${worker_status}`))

describe("autopilotd switch", () => {
  it.scopedLive("kills the old worker's whole process tree before the new worker starts", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const pids = join(home, "pids")
      const settings = [
        "restart = { stop_grace_ms = 300 }\n",
        project("old", [fixture("grows-a-tree.sh")]),
        project("new", [fixture("names-survivors.sh"), pids], off),
        project("third", sleeps)
      ].join("")
      const daemon = yield* startDaemon({ home, settings })
      const third = yield* pidOf(home, "third")
      const tree = yield* treeUp(daemon, 1, treeNames)
      fs.writeFileSync(pids, [...tree.values()].map((pid) => `${pid}\n`).join(""))
      assert.deepStrictEqual(alive(tree.values()), [...tree.values()])

      const switched = yield* command({ home, args: ["switch", "new"] })
      assert.match(switched.stdout, /^Switched to new: worker is running, pid \d+; old is stopped\n$/)
      assert.deepStrictEqual([switched.code, switched.stderr], [0, ""])
      assert.strictEqual(yield* said(daemon, /new\| survivors:(.*)/), " none")
      assert.deepStrictEqual(alive(tree.values()), [])
      assert.deepStrictEqual(yield* statesOf(home), ["old stopped", "new running", "third running"])
      const status = yield* daemon.status("it is the selected one", ({ project }) => project === "new")
      assert.strictEqual(status.daemon_pid, daemon.pid)
      assert.strictEqual(yield* pidOf(home, "third"), third)
    })
  )

  it.scopedLive("--keep leaves the old worker running", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* startDaemon({ home, settings: project("old", sleeps) + project("new", sleeps, off) })
      const old = yield* pidOf(home, "old")
      const declined = yield* onTerminal(home, "n", "switch new")
      assert.match(
        declined.stdout,
        /stops the worker of old, which is running \(pid \d+\).*Stop it\? \[y\/N\] /
      )
      assert.match(declined.stdout, /Nothing was changed: the worker of old keeps running\.\s+$/)
      assert.deepStrictEqual([declined.code, yield* pidOf(home, "old")], [1, old])
      const switched = yield* command({ home, args: ["switch", "new", "--keep"] })
      assert.match(
        switched.stdout,
        /^Switched to new: worker is running, pid \d+; old is running, pid \d+\n$/
      )
      assert.strictEqual(yield* pidOf(home, "old"), old)
      assert.strictEqual((yield* request(home, { type: "Status" })).data?.project, "new")
      const agreed = yield* onTerminal(home, "y", "switch old")
      assert.match(agreed.stdout, /Switched to old: worker is running, pid \d+; new is stopped\s+$/)
      const still = yield* onTerminal(home, "", "switch new --yes")
      assert.notInclude(still.stdout, "[y/N]")
      assert.strictEqual(still.code, 0)
    })
  )

  for (const [what, again] of [
    ["switched to a third project", "third"],
    ["typed again", "new"]
  ] as const) {
    it.scopedLive(`${what} while the old worker is stopping, the switch still waits for it`, () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const settings = [
          "restart = { stop_grace_ms = 600000 }\n",
          project("old", looks),
          project("new", looks, off),
          project("third", looks, off)
        ].join("")
        const daemon = yield* startDaemon({ home, settings })
        yield* said(daemon, /old\| (up)/)
        yield* command({ home, args: ["switch", "new", "--no-wait"] })
        yield* inState(home, "new", "waiting")
        yield* command({ home, args: ["switch", again, "--no-wait"] })
        // Either it waits, or it has been started too soon and tells.
        yield* rowOf(home, again, "was started", ({ worker_status }) => worker_status !== "stopped")
        // A second stop cuts the grace short.
        yield* command({ home, args: ["stop-worker", "--project", "old"] })
        yield* inState(home, again, "running")
        assert.strictEqual(yield* said(daemon, new RegExp(`${again}\\| others alive:(.*)`)), " none")
        yield* inState(home, "old", "stopped")
        const { data } = yield* request(home, { type: "Projects" })
        assert.strictEqual(data?.selected, again)
      })
    )
  }

  it.scopedLive(
    "to a worker that cannot start reports that and exits with 1; the old worker is stopped",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const missing = project("new", ["/nowhere/agent"], "restart = { max_consecutive_restarts = 1 }", off)
        yield* startDaemon({ home, settings: project("old", sleeps) + missing })
        yield* pidOf(home, "old")
        const switched = yield* command({ home, args: ["switch", "new"] })
        assert.deepStrictEqual([switched.code, switched.stdout], [1, ""])
        assert.match(switched.stderr, /^autopilotd: new is selected, but does not run: .*\/nowhere\/agent/)
        assert.deepStrictEqual(yield* statesOf(home), ["old stopped", "new failed"])
      })
  )
})

describe("the selection", () => {
  it.scopedLive("survives stop and start and kill -9, and follows start --project", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const settings = [project("one", sleeps), project("two", sleeps, off), project("three", sleeps, off)]
      const first = yield* startDaemon({ home, settings: settings.join("") })
      assert.strictEqual((yield* request(home, { type: "Projects" })).data?.selected, "one")
      yield* command({ home, args: ["switch", "two"] })
      assert.deepStrictEqual(yield* statesOf(home), ["one stopped", "two running", "three stopped"])
      yield* command({ home, args: ["stop"] })
      yield* first.ended

      // A start by a person begins afresh: what starts by itself, and what is selected.
      const second = yield* startDaemon({ home })
      assert.strictEqual((yield* request(home, { type: "Projects" })).data?.selected, "two")
      const before = [yield* pidOf(home, "one"), yield* pidOf(home, "two")]
      yield* command({ home, args: ["stop-worker", "--project", "one"] })
      second.child.kill("SIGKILL")
      yield* second.ended

      const third = yield* startDaemon({ home, args: ["--keep-state"] })
      const two = yield* pidOf(home, "two")
      assert.strictEqual((yield* request(home, { type: "Status" })).data?.project, "two")
      assert.deepStrictEqual(yield* statesOf(home), ["one stopped", "two running", "three stopped"])
      assert.deepStrictEqual(alive(before), [])
      assert.deepStrictEqual(processesOf(home, "two"), [two])
      yield* command({ home, args: ["stop"] })
      yield* third.ended

      yield* startDaemon({ home, args: ["--project", "three"] })
      yield* pidOf(home, "three")
      yield* pidOf(home, "one")
      assert.deepStrictEqual(yield* statesOf(home), ["one running", "two stopped", "three running"])
      assert.strictEqual((yield* request(home, { type: "Projects" })).data?.selected, "three")
    })
  )

  it.scopedLive("the next start completes a switch that kill -9 of the daemon interrupted", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const settings = project("old", looks) + project("new", looks, off)
      const grace = (ms: number) => `restart = { stop_grace_ms = ${ms} }\n`
      const first = yield* startDaemon({ home, settings: grace(600_000) + settings })
      yield* said(first, /old\| (up)/)
      yield* command({ home, args: ["switch", "new", "--no-wait"] })
      yield* inState(home, "new", "waiting")
      first.child.kill("SIGKILL")
      yield* first.ended

      const second = yield* startDaemon({
        home,
        args: ["--keep-state"],
        settings: grace(200) + settings
      })
      yield* pidOf(home, "new")
      assert.strictEqual(yield* said(second, /new\| others alive:(.*)/), " none")
      assert.deepStrictEqual(yield* statesOf(home), ["old stopped", "new running"])
    })
  )
})
