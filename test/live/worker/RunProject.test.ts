import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ask, command, eventually, fixture, killForSure, startDaemon, temporaryHome } from "../TestDaemon.ts"
import { inState, processesOf, project, rows } from "./SeveralProjects.ts"

const sleeps = [fixture("sleeps.sh")]

/** The commands of a user in a folder of this name. */
const userIn = (home: string, folder: string) => {
  const cwd = join(home, folder)
  fs.mkdirSync(cwd, { recursive: true })
  return (...args: ReadonlyArray<string>) => command({ home, cwd, args })
}

const namesOf = (home: string) => Effect.map(rows(home), (all) => all.map(({ name }) => name))

const daemonPid = (home: string) =>
  Effect.map(ask(home, { type: "Status" }), ({ data }) => data?.daemon_pid ?? 0)

describe("autopilotd run", () => {
  it.scopedLive(
    "starts one more agent beside those that run, which a daemon after a kill -9 has again, and one after a stop has not",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const inShop = userIn(home, "shop")
        const first = yield* inShop("run", "--", ...sleeps)
        assert.strictEqual(first.code, 0, first.stderr)
        assert.match(
          first.stdout,
          /started in the background, pid \d+\.\nThe worker of shop is running, pid \d+\.\n/
        )
        const pid = yield* daemonPid(home)
        const [before] = yield* rows(home)

        const second = yield* inShop("run", "--", ...sleeps)
        assert.match(
          second.stdout,
          /^The worker of shop-2 is running, pid \d+\.\nWith --save it stays in the settings; /
        )
        assert.include(second.stdout, "autopilotd logs -f --project shop-2")
        const saved = yield* userIn(home, "my docs")("run", "--save", "--json", "--", ...sleeps)
        assert.deepInclude(JSON.parse(saved.stdout), { success: true, project: "my-docs" })
        assert.deepStrictEqual(yield* namesOf(home), ["shop", "shop-2", "my-docs"])
        const [after] = yield* rows(home)
        assert.deepStrictEqual([after?.worker_pid, after?.selected], [before?.worker_pid, true])

        // What goes wrong says so.
        const missing = yield* inShop("run", "-p", "gone", "--", "nosuchprog")
        assert.deepStrictEqual([missing.code, missing.stdout], [1, ""])
        assert.match(
          missing.stderr,
          /^autopilotd: The worker of gone is restarting: there is no program "nosuchprog"/
        )
        const twice = yield* inShop("run", "-p", "shop-2", "--", ...sleeps)
        assert.include(twice.stderr, 'There is a project "shop-2" already, and nothing was started.')
        const unpassed = yield* inShop("run", "--max-turns", "3", "--", ...sleeps)
        assert.include(unpassed.stderr, "--max-turns cannot be passed to sleeps.sh")
        const start = yield* inShop("start", "--max-turns", "3", "--", "claude", "-p", "do it")
        assert.include(start.stderr, `A daemon is already running with pid ${pid}`)
        assert.include(
          start.stderr,
          "beside what it runs: autopilotd run --max-turns 3 -- claude -p 'do it'\n"
        )

        // It is a project like the others.
        const stopped = yield* inShop("stop-worker", "-p", "gone")
        assert.strictEqual(stopped.code, 0, stopped.stderr)
        assert.strictEqual((yield* inShop("reload")).code, 0)
        assert.deepStrictEqual(
          yield* namesOf(home),
          ["my-docs", "shop", "shop-2", "gone"].toSorted((a, b) => (a === "shop" ? -1 : b === "shop" ? 1 : 0))
        )

        killForSure(pid)
        const kept = yield* startDaemon({ home, args: ["--keep-state"] })
        yield* inState(home, "shop-2", "running")
        yield* inState(home, "gone", "stopped")
        assert.sameMembers([...(yield* namesOf(home))], ["my-docs", "shop-2", "gone"])
        yield* inShop("stop")
        yield* kept.ended
        assert.isFalse(fs.existsSync(join(home, "run.json")))
        assert.deepStrictEqual(processesOf(home, "shop-2"), [])
        yield* startDaemon({ home, args: ["--keep-state"] })
        assert.deepStrictEqual(yield* namesOf(home), ["my-docs"])
      })
  )

  it.scopedLive(
    "starts the projects of the settings with the daemon, and leaves a change of the file for reload",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const file = join(home, "daemon.toml")
        fs.writeFileSync(file, project("blog", sleeps))
        const inShop = userIn(home, "shop")
        const told = yield* inShop("run", "--", ...sleeps)
        assert.match(told.stdout, /^No daemon was running: .+\nThe worker of shop is running, pid \d+\.\n/)
        yield* inState(home, "blog", "running")
        fs.writeFileSync(file, project("news", sleeps))
        yield* inShop("run", "-p", "more", "--", ...sleeps)
        assert.deepStrictEqual(yield* namesOf(home), ["blog", "shop", "more"])
        yield* inShop("reload")
        yield* eventually(
          "blog is gone",
          Effect.map(namesOf(home), (names) => (names.includes("blog") ? undefined : names))
        )
        assert.deepStrictEqual(yield* namesOf(home), ["news", "shop", "more"])
        yield* inShop("stop")
      })
  )
})
