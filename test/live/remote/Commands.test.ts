import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { noProgram, unlessMissing } from "../../fixtures/Missing.ts"
import { eventually, launcher, processesWith, run } from "../TestDaemon.ts"
import { noSshd, type SshBed, sshBed, withDaemonThere } from "./SshBed.ts"

/** The autopilotd processes of a user on the other side whose command line has these words. */
const runningThere = ({ there }: SshBed, user: string, words: string): ReadonlyArray<number> =>
  processesWith(`HOME=${there(user)}`).filter((pid) => {
    try {
      const line = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
      return line.includes(`autopilotd.js ${words}`)
    } catch {
      return false
    }
  })

/** Runs a line of sh on a terminal of its own, with `a` for autopilotd. Returns what the terminal shows. */
const onTerminal = (bed: SshBed, line: string) =>
  Effect.gen(function* () {
    const { ended, stdout } = yield* run({
      home: bed.home,
      command: "script",
      args: ["-qec", line.replace(/^a /, `${launcher} `), "/dev/null"],
      env: { ...bed.env, TERM: "xterm-256color" }
    })
    const { code } = yield* ended
    return { code, stdout: stdout() }
  })

const accepted = ({ log }: SshBed): number => log().split("Accepted publickey").length - 1

describe("a command on another machine", () => {
  unlessMissing(...noSshd)(
    "answers as it does there: text, --json and exit codes, by option and by variable",
    () =>
      Effect.gen(function* () {
        const bed = yield* sshBed
        const { here } = bed
        yield* withDaemonThere(bed)
        const status = yield* here(["status", "--host", "bash"])
        assert.deepStrictEqual([status.code, status.stderr], [0, ""])
        assert.match(status.stdout, /^Project: {8}shop$/m)
        assert.notMatch(status.stdout, /[^\n\P{Cc}]|welcome/u)
        const json = yield* here(["status", "--json"], { AUTOPILOTD_HOST: "bash" })
        const answer = JSON.parse(json.stdout)
        assert.deepStrictEqual([json.code, answer.success, answer.data.project], [0, true, "shop"])
        const unknown = yield* here(["--host=bash", "status", "nope"])
        assert.deepStrictEqual([unknown.code, unknown.stdout], [1, ""])
        assert.match(unknown.stderr, /^autopilotd: .*\bnope\b.*\n$/)
        // This machine has no daemon, and stays without one.
        const local = yield* here(["status", "--host", "local"], { AUTOPILOTD_HOST: "bash" })
        assert.strictEqual(local.code, 3)
        assert.include(local.stderr, join(bed.home, "autopilotd.sock"))
        fs.writeFileSync(
          join(bed.home, "hosts.toml"),
          `[hosts.box]\nurl = "bash"\nhome = "${bed.there("bash")}/.autopilot"\n`
        )
        const named = yield* here(["--host", "box", "stop-worker", "--json"])
        assert.deepInclude(JSON.parse(named.stdout), { success: true })
        const stopped = yield* here(["--host", "box", "wait"])
        assert.strictEqual(stopped.code, 5)
        assert.deepStrictEqual((yield* here(["--host", "box", "stop"])).code, 0)
        assert.strictEqual((yield* here(["--host", "box", "status"])).code, 3)
      })
  )

  unlessMissing(...noSshd, noProgram("script", "bsdutils"))(
    "has colours and a terminal there where it has one here",
    () =>
      Effect.gen(function* () {
        const bed = yield* sshBed
        yield* withDaemonThere(bed)
        const shown = yield* onTerminal(bed, "a --host bash status")
        assert.strictEqual(shown.code, 0)
        assert.include(shown.stdout, "\u001b[")
        assert.notMatch(shown.stdout, /Connection to .* closed/)
        // Without a terminal on standard input there is none there, but the colours stay.
        const redirected = yield* onTerminal(bed, "a --host bash status </dev/null")
        assert.include(redirected.stdout, "\u001b[")
        const plain = yield* onTerminal(bed, "a --host bash status | cat")
        assert.notInclude(plain.stdout, "\u001b[")
      })
  )

  unlessMissing(...noSshd)("follows the log there, and leaves nothing there when it is ended or killed", () =>
    Effect.gen(function* () {
      const bed = yield* sshBed
      yield* withDaemonThere(bed)
      for (const signal of ["SIGINT", "SIGKILL"] as const) {
        const followed = yield* run({ home: bed.home, args: ["--host", "bash", "logs", "-f"], env: bed.env })
        yield* eventually("lines arrive", () => /tick[^]*tick/.test(followed.stdout()))
        assert.isNotEmpty(runningThere(bed, "bash", "logs -f"))
        followed.child.kill(signal)
        const { code } = yield* followed.ended
        assert.strictEqual(code, signal === "SIGINT" ? 130 : null)
        yield* eventually("nothing is left there", () => runningThere(bed, "bash", "logs -f").length === 0)
      }
      const closed = yield* run({
        home: bed.home,
        command: "bash",
        args: ["-c", '"$1" --host bash logs -f | head -n 1; echo "${PIPESTATUS[0]}"', "bash", launcher],
        env: bed.env
      })
      yield* closed.ended
      assert.match(closed.stdout(), / worker [^\n]*\n0\n$/)
      assert.strictEqual(closed.stderr(), "")
    })
  )

  unlessMissing(...noSshd)("says that the connection was cut, and what was begun may go on", () =>
    Effect.gen(function* () {
      const bed = yield* sshBed
      yield* withDaemonThere(bed)
      const waiting = yield* run({ home: bed.home, args: ["--host", "own", "wait"], env: bed.env })
      yield* eventually("it waits there", () => runningThere(bed, "bash", "wait").length > 0)
      const sessions = fs
        .readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
        .filter((pid) => {
          try {
            return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith("sshd: ap-bash@")
          } catch {
            return false
          }
        })
      for (const pid of sessions) process.kill(pid, "SIGKILL")
      const { code } = yield* waiting.ended
      assert.strictEqual(code, 6)
      assert.match(
        waiting.stderr(),
        /autopilotd: The connection to host own was cut\. .*autopilotd --host own status\n$/
      )
      yield* eventually("nothing is left there", () => runningThere(bed, "bash", "wait").length === 0)
    })
  )
})

describe("the connection to another machine", () => {
  unlessMissing(...noSshd)("is one for twelve commands at once, and stays for the next", () =>
    Effect.gen(function* () {
      const bed = yield* sshBed
      const twelve = yield* Effect.all(
        Array.from({ length: 12 }, () => bed.here(["--host", "bash", "--version"])),
        { concurrency: "unbounded" }
      )
      for (const { code, stderr, stdout } of twelve) {
        assert.deepStrictEqual([code, stderr], [0, ""])
        assert.match(stdout, /^autopilotd /)
      }
      // sshd takes ten sessions over one connection; the others may have one each.
      assert.isAtMost(accepted(bed), 3, bed.log())
      const before = accepted(bed)
      yield* bed.here(["--host", "bash", "--version"])
      assert.strictEqual(accepted(bed), before)
    })
  )

  unlessMissing(...noSshd)(
    "is a new one each time where its socket has no place, and the user's own where that is set up",
    () =>
      Effect.gen(function* () {
        const bed = yield* sshBed
        const long = join(bed.folder, "x".repeat(80))
        fs.mkdirSync(long)
        for (const _ of [1, 2]) {
          const told = yield* bed.here(["--host", "bash", "--version"], { XDG_RUNTIME_DIR: long })
          assert.deepStrictEqual([told.code, told.stderr], [0, ""])
        }
        assert.strictEqual(accepted(bed), 2)
        for (const _ of [1, 2]) assert.strictEqual((yield* bed.here(["--host", "own", "--version"])).code, 0)
        assert.deepStrictEqual(fs.readdirSync(join(bed.folder, "run")), ["autopilotd"])
        assert.deepStrictEqual(fs.readdirSync(join(bed.folder, "run/autopilotd")), [])
      })
  )
})

/** The same, where somebody types keys as soon as the terminal shows a text. */
const typedOnTerminal = Effect.fnUntraced(function* (
  bed: SshBed,
  { awaited, keys, line }: { readonly line: string; readonly awaited: string; readonly keys: string }
) {
  // script passes on what comes on its standard input.
  const typing =
    'mkfifo keys; exec 3<>keys; { until grep -q "$2" shown 2>/dev/null; do sleep 0.05; done; printf "$3" >&3; } & ' +
    'script -qec "$1" /dev/null <&3 >shown; code=$?; cat shown; exit "$code"'
  const { ended, stdout } = yield* run({
    home: bed.home,
    command: "sh",
    args: ["-c", typing, "sh", line.replace(/^a /, `${launcher} `), awaited, keys],
    env: { ...bed.env, TERM: "xterm-256color" }
  })
  const { code } = yield* ended
  return { code, stdout: stdout() }
})

describe("a terminal of another machine", () => {
  unlessMissing(...noSshd, noProgram("script", "bsdutils"))(
    "takes Ctrl-C, which ends the command there",
    () =>
      Effect.gen(function* () {
        const bed = yield* sshBed
        yield* withDaemonThere(bed)
        const followed = yield* typedOnTerminal(bed, {
          line: "a --host bash logs -f",
          awaited: "tick",
          keys: "\\003"
        })
        assert.strictEqual(followed.code, 130, followed.stdout)
        yield* eventually("nothing is left there", () => runningThere(bed, "bash", "logs -f").length === 0)
      })
  )

  unlessMissing(...noSshd, noProgram("script", "bsdutils"))(
    "lets ssh ask what only a person can answer",
    () =>
      Effect.gen(function* () {
        const bed = yield* sshBed
        const asked = yield* typedOnTerminal(bed, {
          line: "a --host stranger status",
          awaited: "Are you sure",
          keys: "no\\n"
        })
        assert.strictEqual(asked.code, 6, asked.stdout)
        assert.match(asked.stdout, /does not know the key of host stranger yet/)
      })
  )

  unlessMissing(...noSshd, noProgram("script", "bsdutils"))(
    "edits the settings there with an editor of this side",
    () =>
      Effect.gen(function* () {
        const bed = yield* sshBed
        const file = join(bed.there("dash"), ".autopilot/daemon.toml")
        const wrote = yield* bed.here(["--host", "dash", "config", "set", "restart.jitter", "0.25"])
        assert.strictEqual(wrote.code, 0, wrote.stderr)
        const editor = "sed -i s/0.25/0.5/"
        const edited = yield* onTerminal(
          { ...bed, env: { ...bed.env, EDITOR: editor } },
          "a --host dash config edit"
        )
        assert.strictEqual(edited.code, 0, edited.stdout)
        assert.include(fs.readFileSync(file, "utf8"), "jitter = 0.5")
      })
  )
})
