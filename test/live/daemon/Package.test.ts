import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join, resolve } from "node:path"
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { command, eventually, fixture, isAlive, run, temporaryHome, workersOf } from "../TestDaemon.ts"
import { nodeFolder, npm } from "./NodeRelease.ts"

const root = resolve(import.meta.dirname, "../../..")

let folder = ""
let shipped: ReadonlyArray<string> = []
let tarballBytes = 0
/** The command that `npm install --global` has installed. */
const installed = () => join(folder, "bin/autopilotd")

beforeAll(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), "apd-package-"))
  const [packed] = JSON.parse(await npm(["pack", "--json", "--pack-destination", folder], root))
  const tarball = join(folder, fs.readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "none")
  shipped = packed.files.map(({ path }: { readonly path: string }) => path)
  tarballBytes = packed.size
  await npm(["install", "--global", "--prefix", folder, "--offline", tarball], folder)
})

afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

describe("the package", () => {
  it("holds the bundle, the launcher, the units, what deploys it, the examples and the documents, and nothing else", () => {
    assert.sameMembers(
      // The parts of programs are as many as they fill.
      shipped.filter((path) => !/^docs\/[^/]+\.md$|^dist\/[a-z-]+-\d\.js$/.test(path)),
      [
        "bin/autopilotd",
        "deploy/Containerfile",
        "deploy/agent-sandbox/sandbox.yaml",
        ...["kustomization.yaml", "networkpolicy.yaml", "podmonitor.yaml", "statefulset.yaml"].map(
          (name) => `deploy/kubernetes/base/${name}`
        ),
        ...["daemon.toml", "env", "job.yaml", "kustomization.yaml"].map(
          (name) => `deploy/kubernetes/job/${name}`
        ),
        ...["daemon.toml", "env", "kustomization.yaml"].map(
          (name) => `deploy/kubernetes/overlays/shop/${name}`
        ),
        "deploy/ansible/site.yml",
        ...[
          "defaults/main.yml",
          "handlers/main.yml",
          "meta/argument_specs.yml",
          "meta/main.yml",
          "tasks/main.yml"
        ].map((name) => `deploy/ansible/roles/autopilotd/${name}`),
        "deploy/nomad/autopilotd.nomad.hcl",
        "deploy/systemd/autopilotd@.service",
        "dist/autopilotd.js",
        "dist/daemon.js",
        "dist/dial.js",
        "dist/elsewhere.js",
        "dist/fleet.js",
        "dist/help.js",
        "dist/history.js",
        "dist/load.js",
        "dist/logs.js",
        "dist/metrics.js",
        "dist/notify.js",
        "dist/panel.js",
        "dist/package.json",
        "dist/program.js",
        "dist/quick.js",
        "dist/relay.js",
        "dist/remote.js",
        "dist/shared-daemon-relay.js",
        "dist/shared-daemon.js",
        "dist/shared-relay.js",
        "dist/shared.js",
        "dist/settings.js",
        "dist/status.js",
        "dist/top.js",
        ...["app.js", "htmx.js", "inter.woff2", "mono.woff2", "style.css", "ws.js"].map(
          (name) => `dist/panel/${name}`
        ),
        "dist/THIRD-PARTY-NOTICES.txt",
        "examples/demo-agent.mjs",
        "examples/demo.toml",
        "examples/monitoring/dashboard.json",
        "examples/monitoring/rules.yml",
        "man/autopilotd.1",
        "schema/daemon.schema.json",
        "systemd/autopilotd-gui.service",
        "systemd/autopilotd.service",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "package.json"
      ]
    )
  })

  it("is small: 1 MB to fetch", () => {
    assert.isAtMost(tarballBytes, 1_000_000)
  })

  it("holds programs in ASCII: one other character costs an idle daemon two bytes for each of their characters", () => {
    const programs = shipped.filter((path) => /^dist\/[\w-]+\.js$/.test(path))
    assert.isAbove(programs.length, 4)
    const others = programs.map((path) => [
      path,
      fs.readFileSync(join(root, path), "utf8").match(/\P{ASCII}/gu)
    ])
    assert.deepStrictEqual(
      others.filter(([, found]) => found !== null),
      []
    )
  })

  it("holds every file that the README links to", () => {
    const readme = fs.readFileSync(join(root, "README.md"), "utf8")
    const linked = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1] ?? "")
    assert.isNotEmpty(linked)
    assert.deepStrictEqual(
      // Pictures are shown from the repository.
      linked.filter((path) => !shipped.includes(path) && !path.startsWith("docs/images")),
      []
    )
  })

  it("installs the manual page where man finds it", () => {
    assert.isTrue(fs.existsSync(join(folder, "share/man/man1/autopilotd.1")))
  })

  it("installs no other package", () => {
    assert.deepStrictEqual(fs.readdirSync(join(folder, "lib/node_modules")), ["autopilotd"])
    assert.isFalse(fs.existsSync(join(folder, "lib/node_modules/autopilotd/node_modules")))
  })
})

/** Starts the installed daemon with that folder first on PATH, kills its worker, and expects another one. */
const supervises = Effect.fnUntraced(function* (programs: string) {
  const home = yield* temporaryHome
  const env = { PATH: [programs, process.env["PATH"]].join(delimiter) }
  const installedCommand = (args: ReadonlyArray<string>) => command({ home, command: installed(), args, env })
  const { version } = JSON.parse(fs.readFileSync(join(root, "package.json"), "utf8"))
  assert.deepStrictEqual(yield* installedCommand(["--version"]), {
    code: 0,
    signal: null,
    stdout: `autopilotd ${version}\n`,
    stderr: ""
  })
  const daemon = yield* run({ home, command: installed(), args: ["start", "--", fixture("sleeps.sh")], env })
  const workerPid = (what: string, isWanted: (pid: number) => boolean) =>
    eventually(
      what,
      Effect.map(installedCommand(["status", "--json"]), ({ stdout }) => {
        const pid: unknown = JSON.parse(stdout).data?.worker_pid
        return typeof pid === "number" && isWanted(pid) ? pid : undefined
      })
    )
  const first = yield* workerPid("it runs", () => true)
  assert.strictEqual(
    fs.readlinkSync(`/proc/${daemon.pid}/exe`),
    fs.realpathSync(join(programs, "node")),
    "the first node on PATH"
  )
  process.kill(first, "SIGKILL")
  const second = yield* workerPid("another one runs", (pid) => pid !== first)
  assert.strictEqual((yield* installedCommand(["stop"])).stdout, "Daemon stopped\n")
  assert.deepStrictEqual(yield* daemon.ended, { code: 0, signal: null })
  assert.isFalse(isAlive(second))
  assert.deepStrictEqual(workersOf(home), [])
  // Node prints its warnings, and an uncaught error, on standard error.
  assert.notMatch(daemon.stderr(), /Warning|\n\s+at /)
})

describe("installed from the package", () => {
  it.scopedLive(`it supervises on the Node of this machine, ${process.versions.node}`, () =>
    supervises(dirname(process.execPath))
  )
})

for (const major of [22, 24]) {
  describe(`installed from the package on Node ${major}`, () => {
    let programs = ""
    let missing: string | undefined

    beforeAll(async () => {
      try {
        programs = await nodeFolder(major)
      } catch (cause) {
        missing = `Node ${major} cannot be installed from the registry: ${String(cause)}`
      }
    })

    beforeEach(({ skip }) => {
      if (missing !== undefined) skip(missing)
    })

    it.scopedLive("it supervises", () => supervises(programs))
  })
}

describe("npm start", () => {
  /** Runs what `npm start` runs once the bundle is built. */
  const start = (home: string, args: ReadonlyArray<string>) =>
    run({
      home,
      command: process.execPath,
      args: [join(root, "scripts/start.mjs"), ...args],
      env: { INIT_CWD: root }
    })

  it.scopedLive("explains the demo, then shows an agent that takes turns, crashes and comes back", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const demo = yield* start(home, [])
      const said = (pattern: RegExp) =>
        eventually(`${pattern} is said`, () => pattern.exec(demo.stdout() + demo.stderr()) ?? undefined)
      yield* said(/^ {2}bin\/autopilotd status /m)
      yield* said(/turn 2: /)
      const status = yield* command({ home, args: ["status"] })
      assert.match(status.stdout, /^Worker status: {2}running$/m)
      assert.match(status.stdout, /^Project: {8}demo$/m)
      yield* said(/Failure 1 in a row: the next start is in 1 second[^]*Worker started, pid \d+/)
      demo.child.kill("SIGTERM")
      assert.deepStrictEqual(yield* demo.ended, { code: 0, signal: null })
      assert.match(demo.stderr(), /Stopped; all workers have exited\n$/)
      assert.deepStrictEqual(workersOf(home), [])
    })
  )

  it.scopedLive(
    "-- with options and a command supervises that command; paths start from the user's folder",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const report = join(home, "report")
        const args = [
          "--workdir",
          "test",
          "--project",
          "shop",
          "--",
          fixture("tells.sh"),
          report,
          "--model",
          "--"
        ]
        const own = yield* start(home, args)
        const told = yield* eventually("the worker has told", () =>
          fs.existsSync(report) ? fs.readFileSync(report, "utf8") : undefined
        )
        assert.include(told, `\nfolder ${join(root, "test")}\n`)
        const status = yield* command({ home, args: ["status", "--project", "shop", "--json"] })
        assert.deepStrictEqual(JSON.parse(status.stdout).data.worker_command.slice(1), [
          report,
          "--model",
          "--"
        ])
        own.child.kill("SIGINT")
        assert.deepStrictEqual(yield* own.ended, { code: 0, signal: null })
      })
  )

  it.scopedLive("-- with an unknown option exits as autopilotd does", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const wrong = yield* start(home, ["--wokdir", "x"])
      assert.deepStrictEqual(yield* wrong.ended, { code: 2, signal: null })
      assert.include(wrong.stderr(), 'Did you mean "--workdir"?')
    })
  )
})
