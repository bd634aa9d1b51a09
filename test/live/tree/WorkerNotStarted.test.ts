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
  temporaryHome,
  workersOf
} from "../TestDaemon.ts"
import { inState, project, rows } from "../worker/SeveralProjects.ts"

interface Obstacle {
  readonly what: string
  /** Makes it so that the worker `<folder>/agent` in its `work` cannot be started. */
  readonly make: (folder: string) => void
  readonly told: RegExp
  readonly mend: (folder: string) => void
  readonly settings?: (folder: string) => string
  readonly worker?: ReadonlyArray<string>
}

const agent = (folder: string) => join(folder, "agent")
const work = (folder: string) => join(folder, "work")
/** Whole at once: a program that is still being written may be found by a start, and cannot run. */
const install = (folder: string) => {
  fs.copyFileSync(fixture("sleeps.sh"), `${agent(folder)}.new`)
  fs.rmSync(agent(folder), { force: true, recursive: true })
  fs.renameSync(`${agent(folder)}.new`, agent(folder))
}

const script = (firstLine: string) => (folder: string) => {
  fs.writeFileSync(agent(folder), `${firstLine}\nexec sleep 1000000\n`, { mode: 0o755 })
}

/** The env file of the home, which all projects read. */
const envOfAll = (folder: string) => join(folder, "../env")

const obstacles: ReadonlyArray<Obstacle> = [
  {
    what: "its env file cannot be read",
    make: (folder) => fs.mkdirSync(envOfAll(folder)),
    told: /\/env .*\. The worker's environment comes from it$/,
    mend: (folder) => fs.rmdirSync(envOfAll(folder))
  },
  {
    what: "its program does not exist",
    make: (folder) => fs.rmSync(agent(folder)),
    told: /\/agent does not exist$/,
    mend: install
  },
  {
    what: "its program is not on the PATH",
    worker: ["agent-that-is-nowhere"],
    make: () => {},
    told: /^there is no program "agent-that-is-nowhere" on the worker's PATH$/,
    mend: (folder) => {
      fs.copyFileSync(fixture("sleeps.sh"), join(folder, "agent-that-is-nowhere"))
      fs.writeFileSync(envOfAll(folder), `PATH=${process.env["PATH"]}:${folder}\n`, { mode: 0o600 })
    }
  },
  {
    what: "its program is not executable",
    make: (folder) => fs.chmodSync(agent(folder), 0o644),
    told: /\/agent is not executable \(chmod \+x \/.*\/agent\)$/,
    mend: (folder) => fs.chmodSync(agent(folder), 0o755)
  },
  {
    what: "its program is a folder",
    make: (folder) => {
      fs.rmSync(agent(folder))
      fs.mkdirSync(agent(folder))
    },
    told: /\/agent is a folder, not a program$/,
    mend: install
  },
  {
    what: "an interrupted update has left its program empty",
    make: (folder) => fs.writeFileSync(agent(folder), ""),
    told: /\/agent is empty \(0 bytes\): .* did not finish\. Install the program again$/,
    mend: install
  },
  {
    what: "the interpreter of its script does not exist",
    make: script("#!/nowhere/interpreter -x"),
    told: /\/agent names the interpreter \/nowhere\/interpreter, which does not exist$/,
    mend: install
  },
  {
    what: "its script has Windows line endings",
    make: script("#!/bin/sh\r"),
    told: /\/agent has Windows line endings, .* \(sed -i 's\/\\r\$\/\/' \/.*\/agent\)$/,
    mend: install
  },
  {
    what: "its folder is gone",
    make: (folder) => fs.rmdirSync(work(folder)),
    told: /^the working directory \/.*\/work does not exist$/,
    mend: (folder) => fs.mkdirSync(work(folder))
  },
  {
    what: "its folder is a file",
    make: (folder) => {
      fs.rmdirSync(work(folder))
      fs.writeFileSync(work(folder), "")
    },
    told: /^the working directory \/.*\/work is not a folder$/,
    mend: (folder) => {
      fs.rmSync(work(folder))
      fs.mkdirSync(work(folder))
    }
  },
  {
    what: "the env file that the settings name is missing",
    settings: (folder) => `env_file = "${folder}/keys"\n`,
    make: (folder) => fs.rmSync(join(folder, "keys")),
    told: /\/keys .*the setting env_file names it/,
    mend: (folder) => fs.writeFileSync(join(folder, "keys"), "A=1\n", { mode: 0o600 })
  }
]

describe("a worker that cannot be started", () => {
  it.scopedLive("is reported in a sentence, retried, and runs once the cause is fixed", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const all = obstacles.map((obstacle, at) => ({
        ...obstacle,
        name: `p${at}`,
        dir: join(home, `p${at}`)
      }))
      const tables = all.map(({ dir, name, settings, worker }) => {
        fs.mkdirSync(work(dir), { recursive: true })
        install(dir)
        if (settings !== undefined) fs.writeFileSync(join(dir, "keys"), "A=1\n", { mode: 0o600 })
        return project(name, worker ?? [agent(dir)], `working_dir = "${work(dir)}"`, settings?.(dir) ?? "")
      })
      const restart = "{ initial_backoff_ms = 50, max_backoff_ms = 50, max_consecutive_restarts = 1000000 }"
      const daemon = yield* startDaemon({ home, settings: `restart = ${restart}\n${tables.join("")}` })
      for (const { name, worker } of all) {
        // What is taken away between the look at a program and its start would be an exit code after all; and one that
        // starts late would meet the obstacles of others.
        if (worker === undefined) {
          yield* eventually(
            `${name} is up`,
            () => new RegExp(`^${name}\\| up \\d`, "m").exec(daemon.stdout())?.[0]
          )
        }
      }
      for (const { dir, make, mend, name, told, what } of all) {
        make(dir)
        yield* daemon.ask({ type: "RestartWorker", project: name })
        const data = yield* eventually(
          `${what}: two failures`,
          Effect.map(daemon.ask({ type: "Status", project: name }), ({ data }) =>
            data !== undefined && data.consecutive_failures >= 2 ? data : undefined
          )
        )
        assert.include(["restarting", "starting"], data.worker_status, what)
        assert.match(data.last_exit?.replace(/^not started: /, "") ?? "", told)
        const line = yield* daemon.logged(new RegExp(`${name}: Worker cannot be started: .*`))
        assert.match(line.replace(`${name}: Worker cannot be started: `, ""), told)
        mend(dir)
        const running = yield* inState(home, name, "running")
        assert.isAtLeast(running.consecutive_failures, 2, what)
      }
      assert.notMatch(daemon.stderr(), /exit code 12[67]/)
    })
  )

  it.scopedLive(
    "is failed after the tenth try when its program is missing, and the daemon keeps running",
    () =>
      Effect.gen(function* () {
        const daemon = yield* startDaemon({
          worker: ["/nowhere/agent"],
          settings: "[restart]\ninitial_backoff_ms = 1\nmax_backoff_ms = 1\n"
        })
        const failed = yield* daemon.status("given up", (data) => data.worker_status === "failed")
        assert.strictEqual(failed.consecutive_failures, 10)
        assert.match(failed.reason ?? "", /^10 failures in a row, the last: \/nowhere\/agent does not exist$/)
        const again = yield* command({ home: daemon.home, args: ["start-worker"] })
        assert.strictEqual(again.code, 1)
        assert.match(again.stderr, /\/nowhere\/agent does not exist/)
      })
  )

  it.scopedLive(
    "is not started where too few files may be open: the daemon answers, and stops the others",
    () =>
      Effect.gen(function* () {
        const names = [...Array(80).keys()].map((n) => `p${n}`)
        const settings = names.map((name) => project(name, [fixture("sleeps.sh")])).join("")
        const daemon = yield* startDaemon({ settings, entrance: ["prlimit", "--nofile=96:96", "--"] })
        const states = yield* eventually(
          "each has its state",
          Effect.map(rows(daemon.home), (all) => {
            const known = all.map(({ worker_status }) => worker_status)
            return known.includes("starting") ? undefined : known
          })
        )
        assert.strictEqual(states.filter((state) => state === "running").length, 10)
        yield* daemon.logged(
          /Worker cannot be started: the daemon may open 96 files, too few for 11 workers\. Raise/
        )
        const stopped = yield* command({ home: daemon.home, args: ["stop"] })
        assert.deepStrictEqual([stopped.code, stopped.stdout], [0, "Daemon stopped\n"])
        assert.deepStrictEqual(workersOf(daemon.home), [])
      })
  )

  it.scopedLive("has no daemon where even one worker needs more open files than are allowed", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const { code, stderr } = yield* command({
        home,
        command: "prlimit",
        args: ["--nofile=40:40", "--", launcher, "start", "--", "true"]
      })
      assert.strictEqual(code, 1)
      assert.match(
        stderr,
        /^autopilotd: The daemon was not started: the daemon may open 40 files, too few for 1 worker\. Raise/
      )
    })
  )
})
