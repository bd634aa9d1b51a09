import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { byShell, workerLog } from "../daemon/OtherStarts.ts"
import {
  command,
  eventually,
  fixture,
  launcher,
  ownProcess,
  run,
  startDaemon,
  temporaryHome
} from "../TestDaemon.ts"

const logDir = (home: string): string => join(home, "logs/default")

/** The names of worker.log and what it was rotated to, the oldest first. */
const logFiles = (home: string): ReadonlyArray<string> => {
  const numberOf = (name: string) => Number(name.split(".")[2] ?? 0)
  return fs.readdirSync(logDir(home)).toSorted((a, b) => numberOf(b) - numberOf(a))
}

const allStored = (home: string): string =>
  logFiles(home)
    .map((name) => fs.readFileSync(join(logDir(home), name), "latin1"))
    .join("")

const said = (text: string) => text.replace(/^\S+ \S+ /gm, "")

/** A daemon whose worker has said something on both streams and is done. */
const afterSome = Effect.fnUntraced(function* () {
  const daemon = yield* startDaemon({
    worker: ["sh", "-c", "echo one; echo two >&2; printf '\\377 three'; echo 1 a needle; exit 0"]
  })
  yield* daemon.status("it has finished", (data) => data.worker_status === "stopped")
  yield* eventually("it is stored", () =>
    /--- worker exited after .+: finished its work\n$/.test(workerLog(daemon.home))
  )
  return daemon
})

describe("autopilotd logs", () => {
  const assertObjects = Effect.fnUntraced(function* (home: string) {
    const { stdout } = yield* command({ home, args: ["logs", "--json", "--project", "default"] })
    const lines: ReadonlyArray<{ at: number; project: string; stream: string; text: string }> = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    assert.isAtMost(Math.abs(Date.now() - (lines[0]?.at ?? 0)), 3_600_000)
    const [started, ...others] = lines.map(({ project, stream, text }) => ({ project, stream, text }))
    const ended = others.pop()
    assert.match(started?.text ?? "", /^worker started, pid \d+$/)
    assert.sameDeepMembers(others, [
      { project: "default", stream: "out", text: "one" },
      { project: "default", stream: "err", text: "two" },
      { project: "default", stream: "out", text: "\ufffd three1 a needle" }
    ])
    assert.match(ended?.text ?? "", /^worker exited after [^:]+: finished its work$/)
  })

  it.scopedLive("shows the output of the worker, also as JSON objects and after the daemon has stopped", () =>
    Effect.gen(function* () {
      const { ended, home } = yield* afterSome()
      const running = yield* command({ home, args: ["logs"] })
      assert.deepStrictEqual([running.code, running.stderr], [0, ""])
      assert.strictEqual(running.stdout, Buffer.from(workerLog(home), "latin1").toString("utf8"))
      yield* assertObjects(home)
      yield* command({ home, args: ["stop"] })
      yield* ended
      assert.strictEqual((yield* command({ home, args: ["logs", "--raw"] })).stdout, running.stdout)
      const asked = (...args: ReadonlyArray<string>) =>
        Effect.map(command({ home, args: ["logs", ...args] }), ({ stdout }) => said(stdout))
      assert.strictEqual(yield* asked("-n", "1", "--stderr"), "err two\n")
      assert.strictEqual(yield* asked("--grep", "needle"), "out \ufffd three1 a needle\n")
      assert.strictEqual(yield* asked("--since", "1h", "-n", "1", "--grep", "one"), "out one\n")
      assert.strictEqual(yield* asked("-n", "0"), "")
    })
  )

  it.scopedLive("says which logs there are when it is asked for others, or not clearly enough", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const nothing = yield* command({ home, args: ["logs"] })
      assert.deepStrictEqual([nothing.code, nothing.stdout], [1, ""])
      assert.match(nothing.stderr, /^autopilotd: There are no logs of workers in .+\/logs yet\.\n$/)
      for (const name of ["blog", "shop"]) {
        fs.mkdirSync(join(home, "logs", name), { recursive: true })
        fs.writeFileSync(join(home, "logs", name, "worker.log"), `2026-11-22 10:00:00.000 out from ${name}\n`)
      }
      fs.appendFileSync(join(home, "logs/blog/worker.log"), "2026-11-22 10:00:02.000 err later\n")
      const all = yield* command({ home, args: ["logs"] })
      assert.deepStrictEqual([all.code, all.stderr], [0, ""])
      const bothNames = [
        "blog | 2026-11-22 10:00:00.000 out from blog",
        "shop | 2026-11-22 10:00:00.000 out from shop",
        "blog | 2026-11-22 10:00:02.000 err later\n"
      ]
      assert.strictEqual(all.stdout, bothNames.join("\n"))
      fs.writeFileSync(join(home, "logs/autopilotd.log"), "2026-11-22 10:00:01.000 WARN  shop: low\n")
      const own = yield* command({ home, args: ["logs", "--daemon", "-n", "2"] })
      assert.match(
        own.stdout,
        /^autopilotd \| 2026-11-22 10:00:01.000 WARN {2}shop: low\nblog {7}\| .*later\n$/
      )
      const both = yield* command({ home, args: ["logs", "--text", "--raw"] })
      assert.deepStrictEqual([both.code, both.stdout], [2, ""])
      const unknown = yield* command({ home, args: ["logs", "-p", "shpo", "--json"] })
      assert.strictEqual(unknown.code, 1)
      assert.deepStrictEqual(JSON.parse(unknown.stdout), {
        success: false,
        code: "no_log",
        message: 'No worker of project "shpo" has left a log yet. There are logs of: blog, shop.'
      })
      const named = yield* command({ home, args: ["logs", "-p", "shop"] })
      assert.strictEqual(said(named.stdout), "out from shop\n")
      const earlier = yield* command({ home, args: ["logs", "--until", "2026-11-22 10:00:01", "-n", "1"] })
      assert.strictEqual(earlier.stdout, "shop | 2026-11-22 10:00:00.000 out from shop\n")
      const between = ["--since", "2026-11-22 10:00:01", "--until", "2026-11-22 10:00:02"]
      const some = yield* command({ home, args: ["logs", ...between] })
      assert.strictEqual(some.stdout, "blog | 2026-11-22 10:00:02.000 err later\n")
      const endless = yield* command({ home, args: ["logs", "-f", "--until", "1h"] })
      assert.deepStrictEqual([endless.code, endless.stdout], [2, ""])
      const future = yield* command({ home, args: ["logs", "--since", "2999-01-01"] })
      assert.deepStrictEqual([future.code, future.stdout], [2, ""])
    })
  )

  it.scopedLive("ends cleanly when its reader has seen enough, and on Ctrl-C", () =>
    Effect.gen(function* () {
      const { home } = yield* startDaemon({ worker: [fixture("mutters.sh")] })
      yield* eventually(
        "the worker has said something",
        Effect.map(command({ home, args: ["logs"] }), ({ code }) => code === 0 || undefined)
      )
      const head = yield* command({
        home,
        command: "bash",
        args: ["-c", '"$0" logs -f -n 1000 | head -1; echo "${PIPESTATUS[0]}"', launcher]
      })
      assert.match(head.stdout, /^\S+ \S+ \S+ .+\n0\n$/)
      assert.strictEqual(head.stderr, "")
      const follower = yield* run({ home, args: ["logs", "-f"] })
      yield* eventually("it shows something", () => follower.stdout().length > 0)
      follower.child.kill("SIGINT")
      assert.deepStrictEqual(yield* follower.ended, { code: 130, signal: null })
      assert.strictEqual(follower.stderr(), "")
    })
  )

  it.scopedLive("follows across rotation and restarts of the daemon, each line once", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const settings = "[log]\nmax_bytes = 1048576\nfiles = 1000\n[restart]\npolicy = 'always'\n"
      const follower = yield* run({ home, args: ["logs", "-f", "-p", "default", "-n", "1000000"] })
      const flood = Effect.fnUntraced(function* (first: string) {
        const over = join(home, `over-${first}`)
        const daemon = yield* startDaemon({
          home,
          settings,
          worker: [fixture("counts.pl"), first, "8", over]
        })
        yield* eventually("it has said all", () => fs.existsSync(over))
        yield* command({ home, args: ["stop"] })
        yield* daemon.ended
      })
      yield* Effect.scoped(flood("1"))
      yield* Effect.scoped(flood("1000000"))
      // A busy disk takes less than the worker says.
      assert.isAbove(logFiles(home).length, 3)
      const stored = allStored(home)
      yield* eventually("the follower has seen all", () => follower.stdout().length >= stored.length)
      assert.isTrue(follower.stdout() === stored)
    })
  )

  it.scopedLive("shows what an agent says in words on a terminal, and as it is with --raw", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.mkdirSync(logDir(home), { recursive: true })
      const content = [{ type: "text", text: "I read the file." }]
      const message = { type: "assistant", message: { content }, session_id: "s-1" }
      const line = `2026-11-22 10:00:00.000 out ${JSON.stringify(message)}`
      fs.writeFileSync(join(logDir(home), "worker.log"), `${line}\n`)
      const screen = (args: string, env: Readonly<Record<string, string>>) =>
        Effect.map(
          command({ home, command: "script", args: ["-qfec", `${launcher} logs ${args}`, "/dev/null"], env }),
          ({ stdout }) => stdout.replaceAll("\r\n", "\n")
        )
      const plain = yield* screen("", { NO_COLOR: "1", TERM: "xterm" })
      assert.match(plain, /^2026-11-22 10:00:00\.000 out .*I read the file\./)
      assert.notInclude(plain, "assistant")
      assert.notInclude(plain, "\x1b")
      assert.include(yield* screen("", { TERM: "xterm" }), "\x1b[2m2026-11-22 10:00:00.000 out\x1b[0m")
      assert.strictEqual(yield* screen("--raw", { TERM: "xterm" }), `${line}\n`)
      const inPipe = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) =>
        Effect.map(ownProcess({ home, args: ["logs", ...args], env }), ({ stdout }) => stdout)
      const words = yield* inPipe(["--text"], {})
      assert.strictEqual(words, "2026-11-22 10:00:00.000 out I read the file.\n")
      // Found in what is shown, not in the JSON around it.
      assert.strictEqual(yield* inPipe(["--grep", "i READ|nothing"], {}), "")
      assert.strictEqual(yield* inPipe(["--grep", "i read|nothing"], {}), `${line}\n`)
      assert.strictEqual(yield* inPipe(["--grep", "assistant"], {}), "")
      assert.strictEqual(yield* inPipe(["--grep", "assistant", "--raw"], {}), `${line}\n`)
      for (const force of ["FORCE_COLOR", "CLICOLOR_FORCE"]) {
        assert.include(yield* inPipe(["--text"], { [force]: "1" }), "\x1b[2m2026-11-22")
        assert.strictEqual(yield* inPipe(["--text"], { [force]: "1", NO_COLOR: "1" }), words)
      }
    })
  )
})

/** How much is written; `AUTOPILOTD_FLOOD_MB=1000` is what a night of a verbose agent may come to. */
const floodMegabytes = Number(process.env["AUTOPILOTD_FLOOD_MB"] ?? 64)

describe("a flood", () => {
  it.scopedLive(
    `of ${floodMegabytes} MB is stored byte for byte across rotation, and what is missing is counted`,
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const over = join(home, "over")
        const maxBytes = 4 * 2 ** 20
        yield* startDaemon({
          home,
          settings: `[log]\nmax_bytes = ${maxBytes}\nfiles = 1000\n`,
          // A gigabyte is more than this process can keep of what it reads.
          entrance: ["sh", "-c", 'exec "$@" >/dev/null', "sh"],
          worker: [fixture("counts.pl"), "1", String(floodMegabytes), over]
        })
        // A gigabyte takes longer than anything else that is waited for.
        while (!fs.existsSync(over) || fs.statSync(over).size === 0) yield* Effect.sleep("50 millis")
        const count = Number(fs.readFileSync(over, "utf8"))
        yield* command({ home, args: ["stop"] })
        let next = 1
        let dropped = 0
        for (const name of logFiles(home)) {
          const path = join(logDir(home), name)
          assert.isAtMost(fs.statSync(path).size, maxBytes, name)
          for (const line of fs.readFileSync(path, "latin1").slice(0, -1).split("\n")) {
            const note = /^\S{10} \S{12} --- (\d+) lines were dropped here: /.exec(line)
            const text = line.slice(28)
            if (note !== null) {
              dropped += Number(note[1])
              next += Number(note[1])
              // On a busy machine the worker may pause for a second in the middle of a line.
            } else if (!/^.{24}--- (worker (started|exited)|unfinished line of out: )/.test(line)) {
              const expected = `${next} ${"x".repeat((next * 7919) % 251)}`
              if (text !== expected)
                assert.strictEqual(text, expected, `${name} after ${dropped} dropped lines`)
              next++
            }
          }
        }
        assert.strictEqual(next - 1, count)
      })
  )
})

describe("secrets of the env file", () => {
  it.scopedLive("are masked in the worker's output where that is asked for, also by a reload", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.writeFileSync(join(home, "env"), "API_KEY=sk-live-0123456789\nMODE=production\nFLAG=true\n", {
        mode: 0o600
      })
      const go = join(home, "go")
      execFileSync("mkfifo", [go])
      const script = `printf 'key sk-live-'; cat ${go}; echo '0123456789 true'; cat ${go}; echo $API_KEY $MODE; sleep 1000`
      const daemon = yield* startDaemon({
        home,
        settings: "[log]\nredact = true\n",
        worker: ["sh", "-c", script]
      })
      fs.writeFileSync(go, "")
      const stored = (pattern: RegExp) => eventually(String(pattern), () => pattern.test(workerLog(home)))
      yield* stored(/out key \*{18} true\n/)
      fs.writeFileSync(join(home, "daemon.toml"), "[log]\nredact = false\n")
      yield* command({ home, args: ["reload"] })
      fs.writeFileSync(go, "")
      yield* stored(/out sk-live-0123456789 production\n/)
      assert.include(daemon.stdout(), "default| key ****************** true\n")
    })
  )
})

describe("under systemd", () => {
  /** Its standard output and error are a journal's, as far as it can tell. */
  const withJournal =
    'exec 3>&1; export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/3); exec "$@" 2>&1 3>&-'

  const journalOf = Effect.fnUntraced(function* (home: string, worker: ReadonlyArray<string>) {
    const daemon = yield* byShell({ home, script: withJournal, worker })
    let journal = ""
    daemon.stdout.on("data", (chunk: Buffer) => (journal += chunk.toString("latin1")))
    return {
      text: () => journal,
      until: (pattern: RegExp) => eventually(`${pattern} in the journal`, () => pattern.test(journal))
    }
  })

  it.scopedLive("the worker's lines are in the journal, but no flood of them, and errors are marked", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const over = join(home, "over")
      const journal = yield* journalOf(home, [fixture("floods.mjs"), "100", "2", over])
      yield* journal.until(/^<6>default\| x+$/m)
      yield* journal.until(/^<6>\S+ \S+ INFO +default: Worker started/m)
      yield* eventually("the flood is over", () => fs.existsSync(over))
      yield* command({ home, args: ["stop"] })
      yield* journal.until(/INFO +Stopped; all workers have exited$/m)
      assert.strictEqual(journal.text().match(/^<6>default\| x/gm)?.length, 2000)
      assert.isAbove(workerLog(home).match(/ out x/g)?.length ?? 0, 10_000)
    })
  )

  it.scopedLive("they are not when that is switched off", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.writeFileSync(join(home, "daemon.toml"), "[log]\njournal = false\n")
      const journal = yield* journalOf(home, ["sh", "-c", "echo hello"])
      yield* journal.until(/Worker stopped/)
      assert.notInclude(journal.text(), "| hello")
      assert.include(workerLog(home), "out hello\n")
    })
  )
})
