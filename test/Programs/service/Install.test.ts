import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { answerSchemas } from "../../../src/Domain/json/AnswerSchemas.ts"
import { readLauncher } from "../../../src/Domain/service/Launcher.ts"
import { launcherIn } from "../../../src/Domain/service/ServiceUnit.ts"
import { install, installPrint } from "../../../src/Programs/service/Install.ts"
import { heard, invocationOf, messageOf } from "../../fixtures/CommandUser.ts"
import { serviceWorld, shippedUnit } from "../../fixtures/ServiceWorld.ts"

type World = Effect.Effect.Success<ReturnType<typeof serviceWorld>>

const installing = (world: World, ...words: ReadonlyArray<string>) =>
  heard(Effect.provide(install(invocationOf("install", ...words)), world.layer))

/** A refusal, which has changed nothing. */
const refusal = Effect.fnUntraced(function* (world: World) {
  const before = fs.readdirSync(world.root, { recursive: true }).toSorted()
  const { out, result } = yield* installing(world)
  assert.isTrue(Either.isLeft(result))
  assert.strictEqual(out, "")
  assert.deepStrictEqual(world.machine.told, [])
  assert.deepStrictEqual(fs.readdirSync(world.root, { recursive: true }).toSorted(), before)
  return messageOf(result)
})

describe("autopilotd install", () => {
  it.scopedLive("writes launcher and unit, enables and starts the service, and reports each step", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({})
      const { out, result } = yield* installing(world)
      assert.isTrue(Either.isRight(result), messageOf(result))
      assert.deepStrictEqual(out.split("\n").slice(0, 6), [
        `Wrote ${world.launcherPath}`,
        `Wrote ${world.unitPath}`,
        "Reloaded the units (systemctl --user daemon-reload)",
        "Enabled autopilotd.service: the daemon starts automatically",
        "Started autopilotd.service, pid 4711. Its worker is running.",
        "Lingering is on: the service starts with the machine and keeps running when you log out."
      ])
      assert.deepStrictEqual(world.machine.told, [
        "daemon-reload",
        "enable autopilotd.service",
        "start autopilotd.service"
      ])
      assert.strictEqual(fs.readFileSync(world.unitPath, "utf8"), shippedUnit)
      assert.deepStrictEqual(readLauncher(fs.readFileSync(world.launcherPath, "utf8")), {
        node: process.execPath,
        bundle: world.bundle,
        path: ["/usr/bin", "/bin"],
        home: undefined
      })
      assert.strictEqual(fs.statSync(world.launcherPath).mode & 0o777, 0o755)
    })
  )

  it.scopedLive("says on a desktop that notifications are off, and how to switch them on", () =>
    Effect.gen(function* () {
      const said = Effect.fnUntraced(function* (display: string, settings = "") {
        const world = yield* serviceWorld({
          environment: { WAYLAND_DISPLAY: display },
          settings: `working_dir = "/"\nworker_command = { type = "Command", argv = ["sh"] }\n${settings}`
        })
        return (yield* installing(world)).out.split("\n").filter((line) => line.includes("otifications"))
      })
      assert.deepStrictEqual(yield* said("wayland-0"), [
        "Notifications are off. For this desktop, run: autopilotd config set notify.to.desk.type desktop"
      ])
      assert.deepStrictEqual(yield* said(""), [])
      assert.deepStrictEqual(yield* said("wayland-0", '[notify.to.desk]\ntype = "desktop"\n'), [])
    })
  )

  it.scopedLive("changes nothing the second time, and reports that", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({})
      yield* installing(world)
      const files = [world.launcherPath, world.unitPath]
      const inodes = files.map((path) => fs.statSync(path).ino)
      world.machine.told.length = 0
      const { out } = yield* installing(world)
      assert.match(
        out,
        /^Already installed, nothing was changed\. autopilotd\.service is running, pid 4711\./
      )
      assert.notInclude(out, "restart")
      assert.deepStrictEqual(world.machine.told, [])
      assert.deepStrictEqual(
        files.map((path) => fs.statSync(path).ino),
        inodes
      )
    })
  )

  it.scopedLive("applies a change without a restart, and has the command for it", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({})
      yield* installing(world)
      world.machine.told.length = 0
      fs.writeFileSync(
        world.launcherPath,
        fs.readFileSync(world.launcherPath, "utf8").replace("/usr/bin:/bin", "/opt:/bin")
      )
      const { out } = yield* installing(world)
      assert.match(out, /^Wrote .*\/bin\/autopilotd: the previous file has another PATH\n/)
      assert.include(out, "systemctl --user restart autopilotd.service")
      assert.deepStrictEqual(world.machine.told, [])
    })
  )

  it.scopedLive("reports that a previous version still runs", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({})
      yield* installing(world)
      world.machine.daemonVersion = "0.0.1"
      assert.include((yield* installing(world)).out, "systemctl --user restart autopilotd.service")
      assert.isTrue(JSON.parse((yield* installing(world, "--json")).out).needs_restart)
    })
  )

  it.scopedLive("keeps a backup of the user's own files", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({})
      fs.mkdirSync(join(world.launcherPath, ".."), { recursive: true })
      fs.writeFileSync(world.launcherPath, Buffer.from([0x7f, 0x45, 0xff, 0]))
      fs.mkdirSync(join(world.unitPath, ".."), { recursive: true })
      fs.writeFileSync(world.unitPath, "[Service]\nExecStart=/usr/bin/mine\n")
      const { out } = yield* installing(world)
      assert.include(out, `Backup: ${world.launcherPath}.bak`)
      assert.deepStrictEqual([...fs.readFileSync(`${world.launcherPath}.bak`)], [0x7f, 0x45, 0xff, 0])
      assert.include(fs.readFileSync(`${world.unitPath}.bak`, "utf8"), "/usr/bin/mine")
    })
  )

  it.scopedLive("replaces a link to the package's launcher, and leaves its target alone", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({})
      const theirs = join(world.root, "package/autopilotd")
      fs.writeFileSync(theirs, "#!/bin/sh\n")
      fs.mkdirSync(join(world.launcherPath, ".."), { recursive: true })
      fs.symlinkSync(theirs, world.launcherPath)
      yield* installing(world)
      assert.isFalse(fs.lstatSync(world.launcherPath).isSymbolicLink())
      assert.strictEqual(fs.readFileSync(theirs, "utf8"), "#!/bin/sh\n")
      assert.isFalse(fs.existsSync(`${world.launcherPath}.bak`))
    })
  )

  it.scopedLive("has the unit of another home run that home's launcher", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({ home: "my agents" })
      yield* installing(world)
      assert.strictEqual(launcherIn(fs.readFileSync(world.unitPath, "utf8")), world.launcherPath)
      assert.strictEqual(readLauncher(fs.readFileSync(world.launcherPath, "utf8"))?.home, world.home.root)
    })
  )

  it.scopedLive(
    "writes the unit to a folder that systemd loads, whatever XDG_CONFIG_HOME of this shell",
    () =>
      Effect.gen(function* () {
        const world = yield* serviceWorld({ environment: { XDG_CONFIG_HOME: "/no/such/folder" } })
        assert.include((yield* installing(world)).out, `Wrote ${world.unitPath}\n`)
      })
  )

  it.scopedLive("records the target of a folder in PATH that a version manager has made for one shell", () =>
    Effect.gen(function* () {
      const { root } = yield* serviceWorld({})
      const [link, folder] = [join(root, "shell-4711"), join(root, "node-22")]
      fs.mkdirSync(folder)
      fs.symlinkSync(folder, link)
      const world = yield* serviceWorld({ root, environment: { PATH: `${link}:bin:/bin:${folder}` } })
      yield* installing(world)
      const launcher = readLauncher(fs.readFileSync(world.launcherPath, "utf8"))
      assert.deepStrictEqual(launcher?.path, [fs.realpathSync(folder), "/bin"])
    })
  )

  it.scopedLive("answers with one object under --json", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({})
      world.machine.lingers = "no"
      const { data, ...answer } = JSON.parse((yield* installing(world, "--json")).out)
      // Beside `data` the same stands where it stood before answers had one shape.
      assert.deepStrictEqual(answer, {
        success: true,
        message: "autopilotd is installed as a service and runs",
        ...data
      })
      assert.doesNotThrow(() => Schema.decodeUnknownSync(answerSchemas.install)(data))
      const { warnings, ...facts } = data
      assert.deepStrictEqual(facts, {
        units: [world.unitPath],
        launcher: world.launcherPath,
        written: [world.launcherPath, world.unitPath],
        started: true,
        pid: 4711,
        needs_restart: false,
        lingers: false
      })
      assert.isArray(warnings)
    })
  )
})

describe("autopilotd install --gui", () => {
  it.scopedLive("makes the panel a second service, and prints its link", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({})
      const { out, result } = yield* installing(world, "--gui")
      assert.isTrue(Either.isRight(result), messageOf(result))
      const lines = out.split("\n")
      assert.include(lines, `Wrote ${world.panelUnitPath}`)
      assert.include(lines, "Enabled autopilotd-gui.service: the web panel starts automatically")
      assert.include(lines, `autopilotd-gui.service was started, pid 1. The panel is at ${world.panelLink}`)
      assert.deepStrictEqual(world.machine.told, [
        "daemon-reload",
        "enable autopilotd.service",
        "enable autopilotd-gui.service",
        "start autopilotd.service",
        "restart autopilotd-gui.service"
      ])

      // From now on every install keeps it current, and lets it run as it is, with the link that it has.
      world.machine.told.length = 0
      assert.match((yield* installing(world)).out, /^Already installed, nothing was changed\./)
      assert.deepStrictEqual(world.machine.told, [])
      fs.appendFileSync(world.panelUnitPath, "# changed\n")
      yield* installing(world)
      assert.deepStrictEqual(world.machine.told, ["daemon-reload", "restart autopilotd-gui.service"])

      // One of a former version is replaced.
      world.machine.told.length = 0
      world.machine.panel.version = "0.0.1"
      const { panel } = JSON.parse((yield* installing(world, "--json")).out)
      assert.deepStrictEqual(panel, { pid: 3, link: world.panelLink })
      assert.deepStrictEqual(world.machine.told, ["restart autopilotd-gui.service"])
    })
  )

  it.scopedLive("refuses beside a panel in a terminal, which has the port", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({})
      world.runPanel(77)
      const { result } = yield* installing(world, "--gui")
      assert.include(messageOf(result), "The panel is already running with pid 77, but not as the service.")
      assert.deepStrictEqual(world.machine.told, [])
      assert.isFalse(fs.existsSync(world.unitPath))
    })
  )

  it.scopedLive("has its unit in --print only when asked", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({})
      const printed = (...words: ReadonlyArray<string>) =>
        Effect.map(
          heard(Effect.provide(installPrint(invocationOf("install", "--print", ...words)), world.layer)),
          ({ out }) => out
        )
      assert.notInclude(yield* printed(), "autopilotd-gui")
      assert.include(yield* printed("--gui"), "systemctl --user enable autopilotd-gui.service\n")
    })
  )
})

describe("autopilotd install warns", () => {
  const warningsOf = Effect.fnUntraced(function* (options: Parameters<typeof serviceWorld>[0]) {
    const world = yield* serviceWorld(options)
    const { warnings } = JSON.parse((yield* installing(world, "--json")).out)
    return String(warnings.join("\n"))
  })

  it.scopedLive("of a temporary installation", () =>
    Effect.gen(function* () {
      assert.include(yield* warningsOf({}), "which will disappear: temporary files are removed")
    })
  )

  it.scopedLive("of a worker that the service will not find", () =>
    Effect.gen(function* () {
      const settings = `working_dir = "/"\nworker_command = { type = "Command", argv = ["no-such-agent"] }\n`
      const warnings = yield* warningsOf({ settings })
      assert.include(warnings, 'no program "no-such-agent" on the worker\'s PATH')
      assert.include(warnings, "run autopilotd install in a shell that finds it")
      const lost = yield* warningsOf({ settings: settings.replace(`"/"`, `"/nonexistent/shop"`) })
      assert.include(
        lost,
        "the working directory /nonexistent/shop does not exist. Create it, or correct working_dir."
      )
    })
  )

  it.scopedLive(
    "of an agent whose key is only in this shell, with the command that adds it to the env file",
    () =>
      Effect.gen(function* () {
        const world = yield* serviceWorld({
          settings: `working_dir = "/"\nworker_command = { type = "Command", argv = ["sh", "-c", "claude -p go"] }\n`,
          environment: { ANTHROPIC_API_KEY: "sk-secret" }
        })
        const { out: stdout } = yield* installing(world)
        assert.include(
          stdout,
          "Warning: default does not get ANTHROPIC_API_KEY of this shell from the service."
        )
        assert.include(
          stdout,
          `run here: (umask 077; printf '%s\\n' "ANTHROPIC_API_KEY=$ANTHROPIC_API_KEY" >>'${world.home.envFile}')`
        )
        assert.notInclude(stdout, "sk-secret")
      })
  )

  it.scopedLive("of a worker in the user's home, and of variables that the service will not have", () =>
    Effect.gen(function* () {
      const warnings = yield* warningsOf({
        settings: `worker_command = { type = "Command", argv = ["sh"] }\n`,
        environment: { AUTOPILOT_MODEL: "opus" }
      })
      assert.include(warnings, "autopilotd config set working_dir DIR")
      assert.include(warnings, "The service does not get AUTOPILOT_MODEL from this shell.")
    })
  )
})

describe("autopilotd install refuses, and changes nothing,", () => {
  it.scopedLive("where there is no systemd", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({})
      world.machine.manager = "missing"
      assert.include(yield* refusal(world), "systemctl is not installed or not on PATH")
    })
  )

  it.scopedLive("after su or sudo, with the fix", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({ environment: { XDG_RUNTIME_DIR: "" } })
      world.machine.manager = "none"
      const told = yield* refusal(world)
      assert.include(told, "XDG_RUNTIME_DIR is not set, which is usual after su or sudo")
      assert.match(told, /machinectl shell \S+@.*loginctl enable-linger \S+/)
    })
  )

  it.scopedLive("where the user manager has another home", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({})
      world.machine.looksElsewhere = true
      assert.include(yield* refusal(world), "its HOME or XDG_CONFIG_HOME differs")
    })
  )

  it.scopedLive("invalid settings, as every start does", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({ settings: "nonsense = 1\n" })
      assert.strictEqual(yield* refusal(world), `${world.home.settingsFile}:1: nonsense is not a setting.`)
    })
  )

  it.scopedLive("settings without a worker, also where only this shell names one", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({
        settings: "",
        environment: { AUTOPILOT_WORKER_BINARY: "/bin/true" }
      })
      const told = yield* refusal(world)
      assert.include(told, "There is no worker to start")
      assert.include(told, "The service does not get AUTOPILOT_WORKER_BINARY from this shell.")
    })
  )

  it.scopedLive("beside a daemon that systemd did not start", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({})
      world.machine.daemonPid = 99
      assert.match(
        yield* refusal(world),
        /already running with pid 99, but not as the service\..*autopilotd stop/
      )
    })
  )

  it.scopedLive("a service that is masked", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({})
      world.machine.masked = true
      assert.include(yield* refusal(world), "systemctl --user unmask autopilotd.service")
    })
  )

  it.scopedLive("the service of another home", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({ home: "a" })
      yield* installing(world)
      const other = yield* serviceWorld({ home: "b d", root: world.root })
      const told = yield* refusal(other)
      assert.include(told, `is the service of another home, ${world.home.root}`)
      assert.include(told, `AUTOPILOT_HOME=${world.home.root} autopilotd uninstall`)
    })
  )
})

describe("autopilotd install of a service that does not start", () => {
  it.scopedLive("fails with the daemon's own error", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({})
      world.machine.startFails = "noise\nautopilotd: The disk is full.\nFree some space."
      const { result } = yield* installing(world)
      assert.strictEqual(messageOf(result), "The disk is full.\nFree some space.")
    })
  )

  it.scopedLive("restarts one that systemd had given up", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({})
      world.machine.active = "failed"
      yield* installing(world)
      assert.include(world.machine.told.join(), "reset-failed autopilotd.service,start autopilotd.service")
    })
  )
})

describe("autopilotd install --print", () => {
  const printing = (world: World, ...words: ReadonlyArray<string>) =>
    heard(Effect.provide(installPrint(invocationOf("install", "--print", ...words)), world.layer))

  it.scopedLive("shows files and commands, and changes nothing, also without systemd", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({})
      world.machine.manager = "missing"
      const before = fs.readdirSync(world.root, { recursive: true })
      const { out } = yield* printing(world)
      assert.include(out, `# ${world.unitPath} (mode 644):\n${shippedUnit}`)
      assert.include(out, `# ${world.launcherPath} (mode 755):\n#!/bin/sh\n`)
      assert.match(
        out,
        /# Then:\nsystemctl --user daemon-reload\nsystemctl --user enable autopilotd\.service\n/
      )
      assert.deepStrictEqual(fs.readdirSync(world.root, { recursive: true }), before)
      const answer = JSON.parse((yield* printing(world, "--json")).out)
      assert.deepStrictEqual(
        answer.files.map(({ path }: { readonly path: string }) => path),
        [world.launcherPath, world.unitPath]
      )
    })
  )
})
