import * as fs from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { tcpServer } from "../../fixtures/LocalServer.ts"
import { unlessMissing } from "../../fixtures/Missing.ts"
import { command, eventually, launcher, run } from "../TestDaemon.ts"
import { noSshd, type SshBed, sshBed } from "./SshBed.ts"

/** A port whose queue of connections is full: the next one gets no answer at all. */
const crowded = Effect.gen(function* () {
  const listening =
    'use Socket; socket S, PF_INET, SOCK_STREAM, 0; bind S, sockaddr_in(0, INADDR_LOOPBACK); listen S, 0; $| = 1; print((sockaddr_in(getsockname S))[0], "\\n"); sleep 600'
  const { stdout } = yield* run({ home: "/", command: "perl", args: ["-e", listening] })
  const port = yield* eventually("it listens", () => (stdout().endsWith("\n") ? Number(stdout()) : undefined))
  for (let filled = 0; filled < 4; filled++) {
    const socket = connect(port, "127.0.0.1")
    socket.on("error", () => undefined)
    yield* Effect.addFinalizer(() => Effect.sync(() => socket.destroy()))
  }
  return port
})

interface Told {
  readonly code: number
  /** The code for programs. */
  readonly word: string
  /** What ssh says itself, if anything. */
  readonly ssh: RegExp | undefined
  readonly meaning: RegExp
}

/** A folder with what the launcher needs, as the only one of PATH. */
const withoutSsh = ({ folder }: SshBed): string => {
  const bin = join(folder, "without-ssh")
  fs.mkdirSync(bin)
  for (const name of ["sh", "readlink", "grep", "tr", "node"]) {
    const found = (process.env["PATH"] ?? "").split(":").map((place) => join(place, name))
    fs.symlinkSync(found.find((path) => fs.existsSync(path)) ?? name, join(bin, name))
  }
  return bin
}

/** Each failure is read by a person and by a program. */
const fails = Effect.fnUntraced(function* (
  { here }: SshBed,
  args: ReadonlyArray<string>,
  { code, meaning, ssh, word }: Told,
  env: Readonly<Record<string, string>> = {}
) {
  const told = yield* here(args, env)
  assert.deepStrictEqual([told.code, told.stdout], [code, ""], told.stderr)
  assert.match(told.stderr, meaning)
  const lines = told.stderr.trimEnd().split("\n")
  assert.strictEqual(lines.filter((line) => line.startsWith("autopilotd: ")).length, 1, told.stderr)
  if (ssh === undefined) assert.strictEqual(lines.length, 1, told.stderr)
  else assert.match(told.stderr, ssh)
  const json = yield* here([...args, "--json"], env)
  assert.deepStrictEqual([json.code, json.stderr], [code, ""])
  const answer = JSON.parse(json.stdout)
  assert.deepInclude(answer, { success: false, code: word })
  assert.match(answer.message, meaning)
  if (ssh !== undefined) assert.match(answer.message, ssh)
})

describe("a command on another machine that does not come about", () => {
  unlessMissing(...noSshd)("says what ssh said, what that means and what to do, once", () =>
    Effect.gen(function* () {
      const bed = yield* sshBed
      const mute = yield* tcpServer()
      const rude = yield* tcpServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))
      fs.writeFileSync(
        join(bed.home, "hosts.toml"),
        `[hosts.box]\nurl = "ssh://ap-bash@127.0.0.1:${rude.port}"\n`
      )
      const unreachable = { code: 6, word: "host_unreachable" }
      const refused = { code: 6, word: "host_refused" }
      const at = (port: number) => `ssh://127.0.0.1:${port}`
      yield* fails(bed, ["status", "--host", "nosuch.invalid"], {
        ...unreachable,
        ssh: /Could not resolve hostname nosuch\.invalid/,
        meaning: /Host nosuch\.invalid cannot be reached: its name leads nowhere/
      })
      yield* fails(bed, ["status", "--host", at(1)], {
        ...unreachable,
        ssh: /port 1: Connection refused/,
        meaning: /nothing listens at its port/
      })
      yield* fails(bed, ["status", "--host", "box"], {
        ...unreachable,
        ssh: /kex_exchange_identification|banner exchange/,
        meaning: /Host box cannot be reached: it accepts the connection, and then does not speak ssh/
      })
      yield* fails(bed, ["status", "--host", "stranger"], {
        ...refused,
        ssh: /Host key verification failed/,
        meaning: /does not know the key of host stranger yet\. Connect once by hand/
      })
      yield* fails(bed, ["status", "--host", "wrongkey"], {
        ...refused,
        ssh: /Permission denied \(publickey\)/,
        meaning: /Host wrongkey lets nobody in this way: it takes none of your keys/
      })
      yield* fails(bed, ["status", "--host", "absent"], {
        code: 6,
        word: "not_installed",
        ssh: undefined,
        meaning: /There is no autopilotd on host absent\. Install it there.*~\/\.local\/bin/
      })
      yield* fails(bed, ["status", "--host", "nologin"], {
        code: 6,
        word: "bad_answer",
        ssh: undefined,
        meaning: /Host nologin answers with something else.*This account is currently not available/
      })
      yield* fails(
        bed,
        ["status", "--host", "bash"],
        {
          code: 6,
          word: "no_ssh",
          ssh: undefined,
          meaning: /does not start: it is not installed or not on PATH.*apt-get/
        },
        { PATH: withoutSsh(bed) }
      )
      const old = join(bed.folder, "old")
      fs.mkdirSync(join(old, "bin"), { recursive: true })
      const answer = 'echo "autopilotd: Unknown command \\"metrics\\"." >&2; exit 2'
      fs.writeFileSync(join(old, "bin/autopilotd"), `#!/bin/sh\n${answer}\n`, { mode: 0o755 })
      const tooOld = yield* bed.here(["metrics", "--host", `ssh://bash${old}`])
      assert.strictEqual(tooOld.code, 2)
      assert.match(
        tooOld.stderr,
        /^autopilotd: Unknown command "metrics"\.\nautopilotd: .*is older than \d+\.\d+\.\d+, which runs here/
      )
      yield* fails(bed, ["status", "--host", at(yield* crowded)], {
        ...unreachable,
        ssh: /Connection timed out/,
        meaning: /it does not answer\. Check that it is on/
      })
      // A host that accepts and then says nothing; the limit of ssh itself is ten seconds.
      yield* fails(bed, ["status", "--host", at(mute.port)], {
        ...unreachable,
        ssh: /banner exchange/,
        meaning: /it accepts the connection, and then does not speak ssh/
      })
    })
  )

  unlessMissing(...noSshd)("shows the warning about a changed host key whole", () =>
    Effect.gen(function* () {
      const { here } = yield* sshBed
      const told = yield* here(["status", "--host", "changed"])
      assert.deepStrictEqual([told.code, told.stdout], [6, ""])
      assert.match(told.stderr, /REMOTE HOST IDENTIFICATION HAS CHANGED/)
      assert.match(told.stderr, /SHA256:[^]*Offending ED25519 key in [^]*Host key verification failed/)
      assert.match(told.stderr, /autopilotd: Host changed shows another key than before[^]*Find out which/)
    })
  )

  unlessMissing(...noSshd)("says that no daemon runs there, and what starts one", () =>
    Effect.gen(function* () {
      const { here } = yield* sshBed
      const told = yield* here(["--host", "dash", "status"])
      assert.deepStrictEqual([told.code, told.stdout], [3, ""])
      assert.match(told.stderr, /No daemon is listening on .*home\/dash/)
      assert.match(
        told.stderr,
        /autopilotd: No daemon runs on host dash\. To start it: autopilotd --host dash start --detach\n$/
      )
      const json = yield* here(["--host", "dash", "status", "--json"])
      assert.deepStrictEqual([json.code, json.stderr], [3, ""])
      assert.deepInclude(JSON.parse(json.stdout), { success: false, code: "no_daemon" })
    })
  )

  unlessMissing(...noSshd)("is told here when the line or hosts.toml is wrong, without a connection", () =>
    Effect.gen(function* () {
      const { env, here, home, log } = yield* sshBed
      const slip = yield* here(["--host", "bash", "stauts"])
      assert.deepStrictEqual([slip.code, slip.stdout], [2, ""])
      assert.include(slip.stderr, 'Unknown command "stauts". Did you mean "status"?')
      const url = yield* here(["--host", "tcp://bash:2375", "status"])
      assert.strictEqual(url.code, 2)
      assert.include(url.stderr, "opens no port that tcp:// could reach, on purpose")
      const file = join(home, "hosts.toml")
      fs.writeFileSync(file, '[hosts.box]\nurl = "ssh://me:secret@box"\n')
      const wrong = yield* here(["--host", "bash", "status"])
      assert.strictEqual(wrong.code, 1)
      assert.match(wrong.stderr, /hosts\.toml:2: hosts\.box\.url is .*it has a password/)
      fs.writeFileSync(file, "[hosts.box\n")
      assert.match((yield* here(["--host", "bash", "status"])).stderr, /hosts\.toml:1: this is not TOML/)
      fs.writeFileSync(file, "")
      fs.chmodSync(file, 0o666)
      assert.match(
        (yield* here(["--host", "bash", "status"])).stderr,
        /hosts\.toml can be written by every user/
      )
      // A variable of the user manager never sends a service away.
      const service = yield* command({
        home,
        command: "sh",
        args: ["-c", 'SYSTEMD_EXEC_PID=$$ exec "$1" status', "sh", launcher],
        env: { ...env, AUTOPILOTD_HOST: "bash" }
      })
      assert.strictEqual(service.code, 3)
      assert.include(service.stderr, join(home, "autopilotd.sock"))
      assert.notInclude(log(), "Accepted")
    })
  )
})
