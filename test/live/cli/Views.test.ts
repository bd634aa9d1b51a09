import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { command, eventually, launcher, ownProcess, run, startDaemon, temporaryHome } from "../TestDaemon.ts"

const shell = (script: string) => `worker_command = { type = "Command", argv = ["sh", "-c", "${script}"] }`

/** Three workers: one finishes, one fails, one goes on. */
const settings = [
  `[projects.shop]\n${shell("echo finished; exit 0")}`,
  `[projects.blog]\n${shell("echo boom >&2; exit 3")}`,
  "[projects.blog.restart]\nmax_consecutive_restarts = 2\ninitial_backoff_ms = 10",
  `[projects.wiki]\n${shell("echo tick; sleep 100000")}`
].join("\n")

/** A command on a terminal of this size, whose keys come from the test. */
const onTerminal = Effect.fnUntraced(function* (home: string, columns: number, args: string) {
  const fifo = join(home, `keys-${columns}`)
  execFileSync("mkfifo", [fifo])
  const typed = `stty cols ${columns} rows 24; exec ${launcher} ${args}`
  const running = yield* run({
    home,
    command: "bash",
    args: ["-c", 'exec script -qefc "$1" /dev/null <>"$2"', "bash", typed, fifo],
    env: { TERM: "xterm-256color" }
  })
  return { ...running, type: (keys: string) => fs.writeFileSync(fifo, keys) }
})

const shows = (what: string, stdout: () => string) =>
  eventually(
    what,
    Effect.sync(() => stdout().includes(what) || undefined)
  )

/** What a process has used of the cores, in ticks. */
const ticksOf = (pid: number): number => {
  const [, fields = ""] = fs.readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")
  const [user, system] = fields.split(" ").slice(11, 13)
  return Number(user) + Number(system)
}

/** A program that waits uses the cores no more, but to ask from time to time. */
const isAtRest = (pid: number) => {
  const seen: Array<number> = []
  return Effect.sync(() => {
    seen.push(ticksOf(pid))
    const last = seen.slice(-5)
    return (last.length === 5 && last[0] !== 0 && new Set(last).size === 1) || undefined
  })
}

describe("the views of several projects", () => {
  it.scopedLive("wait, events, logs and top tell the same story", () =>
    Effect.gen(function* () {
      const { ended, home } = yield* startDaemon({ settings })
      const follower = yield* run({ home, args: ["events", "-f"] })
      const json = yield* run({ home, args: ["events", "--follow", "--json", "wiki"] })
      // The worker runs, or is started right after.
      yield* shows("wiki: Worker ", follower.stdout)

      const finished = yield* ownProcess({ home, args: ["wait", "shop"] })
      assert.deepStrictEqual([finished.code, finished.stderr], [0, ""])
      assert.match(finished.stdout, /^The worker of shop is /)
      const failed = yield* command({ home, args: ["wait", "blog", "--json"] })
      const answer = JSON.parse(failed.stdout)
      assert.deepStrictEqual([failed.code, answer.success], [4, false])
      assert.deepInclude(answer.data, { project: "blog", outcome: "failed", exit_code: 3, verdict: "crash" })
      const late = yield* command({ home, args: ["wait", "wiki", "--timeout", "1s"] })
      assert.deepStrictEqual([late.code, late.stdout], [124, ""])
      assert.strictEqual(late.stderr, "autopilotd: The worker of wiki has not finished its work after 1s.\n")

      const said = yield* command({ home, args: ["events", "blog", "-n", "3"] })
      assert.match(said.stdout, /blog: Gave up after 2 failures in a row/)
      assert.strictEqual(said.stdout.trimEnd().split("\n").length, 3)
      const logs = yield* command({ home, args: ["logs"] })
      assert.match(logs.stdout, /^shop \| \S+ \S+ out finished$/m)
      assert.match(logs.stdout, /^shop \| \S+ \S+ --- worker exited after .+: finished its work$/m)
      assert.match(
        logs.stdout,
        /^blog \| \S+ \S+ --- worker exited after .+: crashed \(exit code 3\); last output: boom$/m
      )
      assert.match(logs.stdout, /^blog \| \S+ \S+ --- next start in /m)

      const all = yield* command({ home, args: ["why", "--all"] })
      assert.match(
        all.stdout,
        /^The worker of blog has failed[^]+\nThe worker of wiki [^]+\nThe worker of shop /
      )
      const views = [
        "projects",
        "history",
        "why blog",
        "status wiki",
        "hogs",
        "budget show",
        "doctor",
        "help",
        "help start"
      ]
      for (const columns of [80, 120]) {
        const shown = yield* ownProcess({
          home,
          command: "script",
          args: [
            "-qefc",
            `stty cols ${columns} rows 24; for view in ${views.map((view) => `'${view}'`).join(" ")}; do echo "== $view"; ${launcher} $view; done; true`,
            "/dev/null"
          ],
          env: { TERM: "xterm", NO_COLOR: "1" }
        })
        const each = shown.stdout.split(/^== .*\r?\n/m).slice(1)
        assert.lengthOf(each, views.length)
        for (const [at, text] of each.entries()) {
          const lines = text.split(/\r?\n/)
          assert.isAbove(lines.length, 1, views[at])
          // Paths and commands are never cut: a user copies them.
          for (const line of lines.filter((one) => !/\/tmp\/|: autopilotd /.test(one)))
            assert.isAtMost(line.length, columns, `${views[at]}: ${line}`)
        }
      }
      const crashes = yield* command({ home, args: ["history", "blog"] })
      assert.strictEqual(crashes.stdout.match(/last output: boom/g)?.length, 2, crashes.stdout)
      assert.match(crashes.stdout, /boom; restarted after .+, pid \d+\n/)
      assert.match(crashes.stdout, /boom; gave up after 2 failures in a row\n/)
      const each = yield* command({ home, args: ["history", "blog", "--long"] })
      assert.match(each.stdout, / backing off /)

      const piped = yield* ownProcess({ home, args: ["top"] })
      assert.deepStrictEqual([piped.code, piped.stdout], [1, ""])
      assert.match(
        piped.stderr,
        /^autopilotd: top draws on a terminal, .+ or TERM is dumb\. Use instead: autopilotd projects/
      )
      for (const [columns, keys] of [
        [80, "q"],
        [120, "\u0003"]
      ] as const) {
        const top = yield* onTerminal(home, columns, "top")
        yield* shows("tick", top.stdout)
        assert.include(top.stdout(), "\u001b[?1049h")
        top.type("\u001b[B")
        yield* eventually("blog is selected", () => top.stdout().includes("\u001b[7mblog"))
        top.type("s")
        yield* shows("Stop the worker of blog?", top.stdout)
        top.type("n")
        top.type("l")
        yield* shows("Log of blog", top.stdout)
        yield* shows("err boom", top.stdout)
        // Ctrl-C ends it from everywhere, q leaves the log first.
        top.type(keys === "q" ? "qq" : keys)
        assert.deepStrictEqual(yield* top.ended, { code: 0, signal: null })
        assert.isTrue(top.stdout().endsWith("\u001b[?25h\u001b[?7h\u001b[?1049l"))
      }

      const waiting = yield* run({ home, args: ["wait", "wiki"] })
      yield* eventually("wait is at rest", isAtRest(waiting.pid))
      yield* command({ home, args: ["stop"] })
      yield* ended
      // The stop of the daemon may be seen as the stop of the worker, just before.
      assert.include([3, 5], (yield* waiting.ended).code)
      assert.deepStrictEqual(yield* follower.ended, { code: 3, signal: null })
      assert.match(follower.stderr(), /^autopilotd: The daemon sends no more events/)
      yield* json.ended
      const lines = json.stdout().trimEnd().split("\n")
      assert.deepInclude(JSON.parse(lines.pop() ?? ""), { success: false })
      assert.isAbove(lines.length, 1)
      for (const line of lines) assert.include(["snapshot", "event", "notice"], JSON.parse(line).type)
    })
  )

  it.scopedLive("without a daemon, top and wait say that none runs", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      for (const name of ["top", "wait"]) {
        const told = yield* ownProcess({ home, args: [name] })
        assert.deepStrictEqual([told.code, told.stdout], [3, ""], name)
        assert.match(told.stderr, /^autopilotd: No daemon is listening on /)
      }
    })
  )
})
