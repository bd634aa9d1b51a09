import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Launcher, launcherText } from "../../../src/Domain/service/Launcher.ts"
import { noPidNamespaces, unlessMissing } from "../../fixtures/Missing.ts"
import { notifySocketAt } from "../../fixtures/NotifySocket.ts"
import { temporaryFolder } from "../../fixtures/TemporaryFolder.ts"
import { command, eventually, launcher, run, temporaryHome } from "../TestDaemon.ts"

/** Stands for the daemon: prints how it was started, and writes to the descriptor if it has one. */
const bundle = `
const fs = require("node:fs")
const fd = process.env.AUTOPILOTD_NOTIFY_FD
if (fd !== undefined) fs.writeSync(Number(fd), "READY=1 from " + process.pid)
const { env, execPath, execArgv, argv, pid } = process
process.stdout.write(JSON.stringify({ env, execPath, execArgv, argv, pid }))
`

/** Stands for a daemon whose worker leaves processes behind. */
const orphans = `
const fs = require("node:fs")
const { execFileSync } = require("node:child_process")
process.on("SIGTERM", () => { process.stdout.write("SIGTERM"); process.exitCode = 7; clearInterval(timer) })
execFileSync("sh", ["-c", "for i in 1 2 3 4; do (sleep 0.1 &); done"], { stdio: "ignore" })
const mine = () => fs.readFileSync("/proc/1/task/1/children", "utf8").trim()
const timer = setInterval(() => { if (mine() === String(process.pid)) process.stdout.write("collected ") }, 20)
`

interface Told {
  readonly env: Readonly<Record<string, string>>
  readonly execPath: string
  readonly execArgv: ReadonlyArray<string>
  readonly argv: ReadonlyArray<string>
  readonly pid: number
}

/** A launcher in a folder whose name needs every kind of quoting. */
const installed = (given: Partial<Launcher> = {}) =>
  Effect.map(temporaryFolder, (root) => {
    const folder = join(root, `it's $HOME "q" 100% \\n *\n\`x\``)
    fs.mkdirSync(folder)
    const starts: Launcher = {
      node: join(folder, "node"),
      bundle: join(folder, "autopilotd.cjs"),
      path: [join(folder, "programs"), "/usr/bin"],
      home: undefined,
      ...given
    }
    const launcher = join(folder, "launcher")
    fs.symlinkSync(process.execPath, join(folder, "node"))
    fs.writeFileSync(join(folder, "autopilotd.cjs"), bundle)
    fs.writeFileSync(launcher, launcherText(starts), { mode: 0o755 })
    return { root, folder, launcher, starts }
  })

const shells = [
  { name: "sh", words: ["/bin/sh"] },
  { name: "dash", words: ["/usr/bin/dash"] },
  { name: "bash", words: ["/bin/bash", "--posix"] },
  { name: "busybox", words: ["/bin/busybox", "sh"] },
  { name: "busybox in /usr", words: ["/usr/bin/busybox", "sh"] }
].filter(
  // Each program once: /bin/sh is a link to one of the others on most machines.
  ({ words: [path = ""] }, at, all) =>
    fs.existsSync(path) &&
    at ===
      all.findIndex(
        ({ words: [other = ""] }) => fs.existsSync(other) && fs.realpathSync(other) === fs.realpathSync(path)
      )
)

/** As systemd starts the main process of a unit. */
const asService = ["/bin/sh", "-c", 'export SYSTEMD_EXEC_PID=$$; exec "$@"', "sh"]

const told = Effect.fnUntraced(function* (
  words: ReadonlyArray<string>,
  env: Readonly<Record<string, string | undefined>> = {}
) {
  const [program = "", ...args] = words
  const { code, stderr, stdout } = yield* command({
    home: tmpdir(),
    command: program,
    args,
    env: { AUTOPILOT_HOME: undefined, NOTIFY_SOCKET: undefined, ...env }
  })
  // bash complains of a locale that is not installed, before the first line of any script.
  assert.deepStrictEqual([code, stderr.replace(/^.*: warning: setlocale: .*\n/gm, "")], [0, ""])
  const answer: Told = JSON.parse(stdout)
  return answer
})

for (const { name, words } of shells) {
  describe(`the launcher in ${name}`, () => {
    it.scopedLive("executes the daemon with its arguments unchanged", () =>
      Effect.gen(function* () {
        const { launcher, starts } = yield* installed()
        const args = ["start", "--keep-state", "", "a b", "$HOME", "'", '"', "\\n", "-e", "*"]
        const daemon = yield* run({
          home: tmpdir(),
          command: words[0] ?? "",
          args: [...words.slice(1), launcher, ...args]
        })
        assert.deepStrictEqual(yield* daemon.ended, { code: 0, signal: null })
        assert.strictEqual(daemon.stderr(), "")
        const { argv, env, execArgv, execPath, pid }: Told = JSON.parse(daemon.stdout())
        assert.strictEqual(pid, daemon.pid)
        assert.strictEqual(execPath, process.execPath)
        assert.deepStrictEqual(execArgv, ["--inspect-port=192.0.2.1:1024"])
        assert.deepStrictEqual(argv.slice(1), [starts.bundle, ...args])
        assert.match(env["AUTOPILOTD_NOFILE_SOFT"] ?? "", /^(\d+|unlimited)$/)
      })
    )

    it.scopedLive(
      "starts a short command without flags of V8, with which Node compiles its own modules anew",
      () =>
        Effect.gen(function* () {
          const { launcher } = yield* installed()
          for (const args of [["status"], ["--version"], ["-h"], ["logs", "start"]]) {
            const command = yield* run({
              home: tmpdir(),
              command: words[0] ?? "",
              args: [...words.slice(1), launcher, ...args]
            })
            assert.deepStrictEqual(yield* command.ended, { code: 0, signal: null })
            const { execArgv }: Told = JSON.parse(command.stdout())
            assert.deepStrictEqual(execArgv, ["--inspect-port=192.0.2.1:1024"])
          }
        })
    )

    unlessMissing(noPidNamespaces)(
      "stays as process 1, where it collects zombies and passes signals on",
      () =>
        Effect.gen(function* () {
          const { folder, launcher } = yield* installed()
          fs.writeFileSync(join(folder, "autopilotd.cjs"), orphans)
          const first = yield* run({
            home: tmpdir(),
            command: "unshare",
            args: ["--pid", "--fork", "--mount", "--mount-proc", "--kill-child", ...words, launcher, "start"]
          })
          yield* eventually("process 1 has collected the orphans", () => first.stdout().includes("collected"))
          const shell = fs.readFileSync(`/proc/${first.pid}/task/${first.pid}/children`, "utf8").trim()
          process.kill(Number(shell), "SIGTERM")
          assert.deepStrictEqual(yield* first.ended, { code: 7, signal: null })
          assert.include(first.stdout(), "SIGTERM")
        })
    )

    it.scopedLive("gives the service the recorded PATH, and a user the shell's", () =>
      Effect.gen(function* () {
        const { launcher, starts } = yield* installed()
        const service = yield* told([...asService, ...words, launcher])
        assert.strictEqual(service.env["PATH"], starts.path.join(delimiter))
        const person = yield* told([...words, launcher])
        assert.strictEqual(person.env["PATH"], process.env["PATH"])
        const other = yield* told([...words, launcher], { SYSTEMD_EXEC_PID: "1" })
        assert.strictEqual(other.env["PATH"], process.env["PATH"])
        assert.notProperty(service.env, "AUTOPILOT_HOME")
      })
    )

    it.scopedLive("keeps what steers Node for the worker", () =>
      Effect.gen(function* () {
        const { launcher } = yield* installed()
        const options = "--require '/gone/boot \"$HOME\".js'"
        const stale = { AUTOPILOTD_WORKER_NODE_DEBUG: "stale" }
        const { env } = yield* told([...words, launcher], { NODE_OPTIONS: options, ...stale })
        assert.notProperty(env, "NODE_OPTIONS")
        assert.strictEqual(env["AUTOPILOTD_WORKER_NODE_OPTIONS"], options)
        assert.notProperty(env, "AUTOPILOTD_WORKER_NODE_DEBUG")
      })
    )

    it.scopedLive("gives Node threads for disks that do not answer, unless the user says how many", () =>
      Effect.gen(function* () {
        const { launcher } = yield* installed()
        const threads = (set: string | undefined) =>
          Effect.map(told([...words, launcher], { UV_THREADPOOL_SIZE: set }), ({ env }) => [
            env["UV_THREADPOOL_SIZE"],
            env["AUTOPILOTD_WORKER_UV_THREADPOOL_SIZE"]
          ])
        assert.deepStrictEqual(yield* threads(undefined), ["16", undefined])
        assert.deepStrictEqual(yield* threads("7"), ["7", "7"])
      })
    )

    it.scopedLive("uses its own home, unless AUTOPILOT_HOME is set", () =>
      Effect.gen(function* () {
        const home = `/srv/it's\n$HOME "q"`
        const { launcher } = yield* installed({ home })
        const homeOf = (line: ReadonlyArray<string>, set: string | undefined) =>
          Effect.map(told(line, { AUTOPILOT_HOME: set }), ({ env }) => env["AUTOPILOT_HOME"])
        assert.strictEqual(yield* homeOf([...words, launcher], undefined), home)
        assert.strictEqual(yield* homeOf([...words, launcher], ""), home)
        assert.strictEqual(yield* homeOf([...words, launcher], "/mine"), "/mine")
        assert.strictEqual(yield* homeOf([...asService, ...words, launcher], "/mine"), home)
      })
    )

    it.scopedLive("names the fix when Node or the bundle is missing", () =>
      Effect.gen(function* () {
        const { folder, launcher } = yield* installed()
        const failing = command({
          home: tmpdir(),
          command: words[0] ?? "",
          args: [...words.slice(1), launcher]
        })
        fs.rmSync(join(folder, "autopilotd.cjs"))
        const without = yield* failing
        assert.strictEqual(without.code, 1)
        assert.include(without.stderr, `autopilotd: The program is missing at ${folder}/autopilotd.cjs.`)
        assert.include(without.stderr, "run: autopilotd install")
        fs.rmSync(join(folder, "node"))
        const { code, stderr } = yield* failing
        assert.strictEqual(code, 1)
        assert.strictEqual(
          stderr,
          `autopilotd: Node is missing at ${folder}/node. Install Node, then run: autopilotd install\n`
        )
        const [program = "", ...args] = [...asService, ...words, launcher]
        const asked = yield* command({ home: tmpdir(), command: program, args })
        assert.strictEqual(asked.stderr, `<3>${stderr}`)
      })
    )

    for (const kind of ["a path", "the abstract namespace"]) {
      it.scopedLive(`opens a socket to systemd at ${kind}`, () =>
        Effect.gen(function* () {
          const { launcher, root } = yield* installed()
          const socket = kind === "a path" ? join(root, "notify it's") : `@apd-test-${process.pid}-${name} x`
          const service = yield* notifySocketAt(socket)
          const env = { NOTIFY_SOCKET: socket, LC_ALL: "no_SUCH.locale" }
          const { env: seen, pid } = yield* told([...words, launcher], env)
          const messages = yield* service.once("a message", ({ length }) => length > 0)
          assert.deepStrictEqual(messages, [`READY=1 from ${pid}`])
          assert.strictEqual(seen["NOTIFY_SOCKET"], socket)
          assert.strictEqual(seen["LC_ALL"], "no_SUCH.locale")
          assert.notProperty(seen, "PERL_BADLANG")
        })
      )
    }

    it.scopedLive("starts the daemon also without a working perl or a listener", () =>
      Effect.gen(function* () {
        const { folder, launcher, root } = yield* installed({ path: [] })
        const programs = join(folder, "programs")
        fs.mkdirSync(programs)
        const started = (env: Readonly<Record<string, string | undefined>>) =>
          Effect.map(
            told([...words, launcher], {
              NOTIFY_SOCKET: join(root, "nobody"),
              AUTOPILOTD_NOTIFY_FD: "0",
              ...env
            }),
            (answer) => {
              assert.notProperty(answer.env, "AUTOPILOTD_NOTIFY_FD")
              return answer.env
            }
          )
        yield* started({ PATH: programs })
        fs.writeFileSync(join(programs, "perl"), "#!/bin/sh\necho broken >&2\nexit 3\n", { mode: 0o755 })
        yield* started({ PATH: programs })
        fs.writeFileSync(join(programs, "perl"), "#!/no/such/interpreter\n", { mode: 0o755 })
        assert.strictEqual((yield* started({ PATH: programs, PERL_BADLANG: "1" }))["PERL_BADLANG"], "1")
        assert.strictEqual((yield* started({ PERL_BADLANG: "1" }))["PERL_BADLANG"], "1")
        yield* started({ PERL5OPT: "-MNo::Such::Module" })
        yield* started({ NOTIFY_SOCKET: "vsock:2:1234" })
      })
    )

    it.scopedLive("records that it was started with nohup", () =>
      Effect.gen(function* () {
        const { launcher } = yield* installed()
        const ignoring = ["/bin/sh", "-c", `trap "" HUP; exec "$@"`, "sh"]
        const env = { AUTOPILOTD_NOHUP: "1" }
        assert.strictEqual((yield* told([...ignoring, ...words, launcher])).env["AUTOPILOTD_NOHUP"], "1")
        assert.notProperty((yield* told([...words, launcher], env)).env, "AUTOPILOTD_NOHUP")
      })
    )
  })
}

describe("bin/autopilotd", () => {
  it.scopedLive("finds its program by each name that it has", () =>
    Effect.gen(function* () {
      const root = yield* temporaryHome
      const real = join(root, "it's here")
      for (const folder of ["it's here/bin", "it's here/dist", "links", "cd/bin"])
        fs.mkdirSync(join(root, folder), { recursive: true })
      fs.copyFileSync(launcher, join(real, "bin/autopilotd"))
      fs.writeFileSync(join(real, "dist/autopilotd.js"), "process.stdout.write(process.argv[1])")
      fs.symlinkSync("../it's here/bin/autopilotd", join(root, "links/first"))
      fs.symlinkSync("first", join(root, "links/second"))
      fs.symlinkSync(join(real, "bin"), join(root, "links/bin"))
      for (const [cwd, name] of [
        [root, join(real, "bin/autopilotd")],
        [real, "bin/autopilotd"],
        [join(real, "bin"), "autopilotd"],
        [root, "links/second"],
        [join(root, "links"), "./first"],
        [root, "links/bin/autopilotd"],
        [join(root, "links"), "bin/autopilotd"]
      ] as const)
        for (const { words } of shells) {
          const [program = "", ...args] = [...words, name, "--version"]
          // The shell would look for a relative folder there first, and print what it has found.
          const env = { CDPATH: join(root, "cd") }
          const { stderr, stdout } = yield* command({ home: root, command: program, args, cwd, env })
          assert.deepStrictEqual([stdout, stderr], [join(real, "dist/autopilotd.js"), ""], name)
        }
    })
  )
})
