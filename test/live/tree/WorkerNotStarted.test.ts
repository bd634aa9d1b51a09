import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { command, eventually, fixture, startDaemon, temporaryHome } from "../TestDaemon.ts"

interface Obstacle {
  readonly what: string
  /** Makes it so that the worker `<home>/agent` in the folder `<home>/work` cannot be started. */
  readonly make: (home: string) => void
  readonly told: RegExp
  readonly mend: (home: string) => void
  readonly settings?: (home: string) => string
  readonly worker?: ReadonlyArray<string>
}

const agent = (home: string) => join(home, "agent")
const work = (home: string) => join(home, "work")
/** Whole at once: a program that is still being written may be found by a start, and cannot run. */
const install = (home: string) => {
  fs.copyFileSync(fixture("sleeps.sh"), `${agent(home)}.new`)
  fs.rmSync(agent(home), { force: true, recursive: true })
  fs.renameSync(`${agent(home)}.new`, agent(home))
}

const script = (firstLine: string) => (home: string) => {
  fs.writeFileSync(agent(home), `${firstLine}\nexec sleep 1000000\n`, { mode: 0o755 })
}

const obstacles: ReadonlyArray<Obstacle> = [
  {
    what: "its program does not exist",
    make: (home) => fs.rmSync(agent(home)),
    told: /\/agent does not exist$/,
    mend: install
  },
  {
    what: "its program is not on the PATH",
    worker: ["agent-that-is-nowhere"],
    make: () => {},
    told: /^there is no program "agent-that-is-nowhere" on the worker's PATH \(/,
    mend: (home) => {
      fs.copyFileSync(fixture("sleeps.sh"), join(home, "agent-that-is-nowhere"))
      fs.writeFileSync(join(home, "env"), `PATH=${process.env["PATH"]}:${home}\n`, { mode: 0o600 })
    }
  },
  {
    what: "its program is not executable",
    make: (home) => fs.chmodSync(agent(home), 0o644),
    told: /\/agent is not executable \(chmod \+x \/.*\/agent\)$/,
    mend: (home) => fs.chmodSync(agent(home), 0o755)
  },
  {
    what: "its program is a folder",
    make: (home) => {
      fs.rmSync(agent(home))
      fs.mkdirSync(agent(home))
    },
    told: /\/agent is a folder, not a program$/,
    mend: install
  },
  {
    what: "an interrupted update has left its program empty",
    make: (home) => fs.writeFileSync(agent(home), ""),
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
    make: (home) => fs.rmdirSync(work(home)),
    told: /^the working directory \/.*\/work does not exist$/,
    mend: (home) => fs.mkdirSync(work(home))
  },
  {
    what: "its folder is a file",
    make: (home) => {
      fs.rmdirSync(work(home))
      fs.writeFileSync(work(home), "")
    },
    told: /^the working directory \/.*\/work is not a folder$/,
    mend: (home) => {
      fs.rmSync(work(home))
      fs.mkdirSync(work(home))
    }
  },
  {
    what: "its env file cannot be read",
    make: (home) => fs.mkdirSync(join(home, "env")),
    told: /\/env .*\. The worker's environment comes from it$/,
    mend: (home) => fs.rmdirSync(join(home, "env"))
  },
  {
    what: "the env file that the settings name is missing",
    settings: (home) => `env_file = "${home}/keys"\n`,
    make: (home) => fs.rmSync(join(home, "keys")),
    told: /\/keys .*the setting env_file names it/,
    mend: (home) => fs.writeFileSync(join(home, "keys"), "A=1\n", { mode: 0o600 })
  }
]

describe("a worker that cannot be started, because", () => {
  for (const { make, mend, settings, told, what, worker } of obstacles) {
    it.scopedLive(`${what}, is told as a sentence, tried again, and runs once that is mended`, () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        install(home)
        fs.mkdirSync(work(home))
        const extra = settings === undefined ? "" : settings(home)
        if (settings !== undefined) fs.writeFileSync(join(home, "keys"), "A=1\n", { mode: 0o600 })
        const daemon = yield* startDaemon({
          home,
          args: ["--workdir", work(home)],
          worker: worker ?? [agent(home)],
          settings: `${extra}[restart]\ninitial_backoff_ms = 50\nmax_backoff_ms = 50\nmax_consecutive_restarts = 1000000\n`
        })
        // What is taken away between the look at a program and its start would be an exit code after all.
        yield* eventually(
          "it is up, or cannot be",
          Effect.sync(() => /up \d|cannot be started/.exec(daemon.stdout() + daemon.stderr())?.[0])
        )
        make(home)
        yield* command({ home, args: ["restart-worker", "--no-wait"] })
        const status = yield* daemon.status("two failures", (data) => data.consecutive_failures >= 2)
        assert.include(["restarting", "starting"], status.worker_status)
        assert.match(status.last_exit?.replace(/^not started: /, "") ?? "", told)
        const line = yield* daemon.logged(/Worker cannot be started: .*/)
        assert.match(line.replace("Worker cannot be started: ", ""), told)
        mend(home)
        const running = yield* daemon.status("it runs", (data) => data.worker_status === "running")
        assert.isAtLeast(running.consecutive_failures, 2)
        assert.notMatch(daemon.stderr(), /exit code 12[67]/)
      })
    )
  }

  it.scopedLive("its program is missing, is given up after the tenth time, and the daemon stays", () =>
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
})
