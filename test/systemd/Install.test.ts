import * as fs from "node:fs"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { fixture, type Machine, node, project } from "./Machine.ts"
import { autopilotd, serviceOn, shown, workerIs } from "./Service.ts"
import { underUserManager } from "./UserManager.ts"

/** Files, links and folders below the home that are not the daemon's memory, which an uninstall leaves. */
const traces = (machine: Machine) =>
  Effect.map(machine.sh("find ~ -mindepth 1 '(' -type f -o -type l ')' | sort"), (text) =>
    text.split("\n").filter((path) => !/^\/home\/tester\/\.autopilot\/(?!bin\/)/.test(path) && path !== "")
  )

const installer = `${project}/bin/autopilotd`

/** The panel as a service beside the daemon's, which it starts although it may do little itself. */
const panelIsService = Effect.fnUntraced(function* (machine: Machine, home: string) {
  const asked = (line: string) => machine.sh(`${home}; ${line}`)
  const said = yield* asked(`${installer} install --gui`)
  assert.match(said, /^Enabled autopilotd-gui\.service/m)
  const [, link = "", port = "", token = ""] =
    /The panel is at (http:\/\/127\.0\.0\.1:([0-9]+)\/#token=([\w-]+))/.exec(said) ?? []
  assert.strictEqual(port, "7420")
  const units = yield* machine.run("systemd-analyze verify --user --man=no ~/.config/systemd/user/*.service")
  assert.deepStrictEqual(units, { code: 0, stdout: "", stderr: "" })

  // The person gets the link from the command, not from the journal, which others may read.
  assert.match(yield* asked(`${installer} gui`), new RegExp(`at ${link}$`))
  const journal = yield* machine.sh("journalctl --user -u autopilotd-gui -o cat")
  assert.include(journal, "The panel is at http://127.0.0.1:7420/, with the link of: autopilotd gui")
  assert.notInclude(journal, token)

  const act = (action: string) =>
    Effect.map(
      machine.sh(
        `${node} -e 'fetch("http://127.0.0.1:7420/api/daemon/${action}", { method: "POST", headers: { "x-autopilotd-token": "${token}" } }).then((r) => r.text()).then(console.log)'`
      ),
      (text): { readonly success: boolean; readonly message: string } => JSON.parse(text)
    )
  const daemonOf = (line: string) =>
    Effect.map(asked(`${line} status --json`), (text): number => JSON.parse(text).data.daemon_pid)
  const service = serviceOn(machine)
  assert.isTrue((yield* act("stop")).success)
  yield* service.shows("ActiveState", /^inactive$/)
  assert.deepInclude(yield* act("start"), { success: true })
  assert.deepStrictEqual(yield* service.show("MainPID", "ActiveState"), [
    String(yield* daemonOf(installer)),
    "active"
  ])

  // Where the daemon is no service, it and its workers get nothing of the panel's restrictions, and survive it.
  yield* machine.sh("systemctl --user disable --now autopilotd")
  assert.deepInclude(yield* act("start"), { success: true })
  const pid = yield* daemonOf(installer)
  assert.notInclude(yield* machine.sh(`cat /proc/${pid}/cgroup`), "autopilotd-gui")
  assert.match(yield* machine.sh(`cat /proc/${pid}/status`), /^NoNewPrivs:\t0$/m)
  const [panelPid] = yield* shown(machine, "autopilotd-gui", "MainPID")
  assert.match(yield* machine.sh(`cat /proc/${panelPid}/status`), /^NoNewPrivs:\t1$[^]*^Seccomp:\t2$/m)
  const doctor = yield* machine.run(`${home}; export ANTHROPIC_API_KEY=sk-secret; ${installer} doctor`)
  assert.match(
    doctor.stdout,
    /Env file +default does not get ANTHROPIC_API_KEY [^]* run in this shell:\n +\(umask 077; printf .*env'\)\n/
  )
  assert.notInclude(doctor.stdout, "sk-secret")
  assert.match(doctor.stdout, /Panel +It is active and enabled\./)

  yield* machine.sh("systemctl --user stop autopilotd-gui")
  assert.deepStrictEqual(yield* shown(machine, "autopilotd-gui", "ActiveState", "Result", "ExecMainStatus"), [
    "inactive",
    "success",
    "0"
  ])
  assert.strictEqual(yield* daemonOf(installer), pid)
  yield* asked(`${installer} stop`)
})

describe("install and uninstall", () => {
  underUserManager(
    "show with --print what they would do, refuse without a user manager, change nothing twice, and leave nothing",
    (machine) =>
      Effect.gen(function* () {
        machine.write(".autopilot/daemon.toml", workerIs(fixture("sleeps.sh")))
        const service = serviceOn(machine)
        const printed = yield* machine.sh(`${installer} install --print`)
        assert.include(printed, "ExecStart=%h/.autopilot/bin/autopilotd start --keep-state")
        assert.include(printed, "systemctl --user enable")
        const refused = yield* machine.run(
          `env -u XDG_RUNTIME_DIR -u DBUS_SESSION_BUS_ADDRESS ${installer} install`
        )
        assert.strictEqual(refused.code, 1)
        assert.match(refused.stderr, /user manager/)
        assert.deepStrictEqual(yield* traces(machine), [])
        assert.deepStrictEqual(yield* service.show("LoadState"), ["not-found"])

        // The second round is like the first.
        for (let round = 0; round < 2; round++) {
          const said = yield* machine.sh(`${installer} install`)
          assert.match(said, /Enabled autopilotd\.service/)
          assert.deepStrictEqual(yield* service.show("ActiveState", "UnitFileState"), ["active", "enabled"])
          const before = yield* service.running
          if (round === 0) {
            const again = yield* machine.sh(`${installer} install`)
            assert.match(again, /^Already installed, nothing was changed/m)
            const after = yield* service.running
            assert.deepStrictEqual(
              [after.daemon_pid, after.worker_pid],
              [before.daemon_pid, before.worker_pid]
            )
          }
          yield* machine.sh(`${autopilotd} uninstall`)
          assert.deepStrictEqual(yield* traces(machine), [])
          assert.deepStrictEqual(yield* service.members, [])
          assert.isFalse(service.isAlive(before.worker_pid))
          assert.deepStrictEqual(yield* service.show("LoadState", "ActiveState"), ["not-found", "inactive"])
          assert.strictEqual(
            yield* machine.sh("systemctl --user list-unit-files 'autopilotd*' --no-legend || true"),
            ""
          )
          assert.strictEqual(machine.read(".autopilot/daemon.toml"), workerIs(fixture("sleeps.sh")))
          assert.match(yield* service.tell("history"), /autopilotd .* started|started/)
        }
        const nothing = yield* machine.run(`${installer} uninstall`)
        assert.strictEqual(nothing.code, 0)
        assert.match(nothing.stdout, /Nothing to remove/)
      })
  )

  underUserManager(
    "find programs where only the caller's PATH has them, keep a person's unit, and start --detach starts theirs",
    (machine) =>
      Effect.gen(function* () {
        // systemd's own PATH has no node then.
        yield* machine.asRoot(
          "for path in /usr/bin/node /usr/local/bin/node; do [ ! -e $path ] || mount -n --bind /dev/null $path; done"
        )
        const own = "[Service]\nExecStart=/bin/true\n"
        machine.write(".config/systemd/user/autopilotd.service", own)
        machine.write(".local/bin/agent", "#!/bin/sh\nexec sleep 1000000\n", 0o755)
        machine.write(".autopilot/daemon.toml", workerIs("agent"))
        yield* machine.sh(`PATH=$HOME/.local/bin:$PATH ${installer} install`)
        assert.strictEqual(
          machine.read(".config/systemd/user/autopilotd.service"),
          fs.readFileSync(machine.outside(`${project}/systemd/autopilotd.service`), "utf8")
        )
        assert.strictEqual(machine.read(".config/systemd/user/autopilotd.service.bak"), own)
        const service = serviceOn(machine)
        const { worker_pid } = yield* service.running
        yield* machine.sh("systemctl --user restart autopilotd")
        const again = yield* service.running
        assert.notStrictEqual(again.worker_pid, worker_pid)
        assert.strictEqual(
          yield* machine.sh(`PATH=/usr/bin:/bin ${autopilotd} status >/dev/null && echo answered`),
          "answered"
        )

        // With the unit enabled no second daemon is started beside it.
        yield* machine.sh("systemctl --user stop autopilotd")
        yield* machine.sh(`${autopilotd} start --detach`)
        const { daemon_pid } = yield* service.running
        assert.deepStrictEqual(yield* service.show("MainPID", "ActiveState"), [String(daemon_pid), "active"])
        const daemons = yield* machine.sh(
          `for file in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$file; echo; done 2>/dev/null | grep -c 'autopilotd[.]js start'`
        )
        assert.strictEqual(daemons, "1")
      })
  )

  underUserManager(
    "work for another home, whatever is in its name, in a unit that systemd understands",
    (machine) =>
      Effect.gen(function* () {
        const home = 'export AUTOPILOT_HOME="$HOME/my 100% agents"'
        machine.write("my 100% agents/daemon.toml", workerIs(fixture("sleeps.sh")))
        yield* machine.sh(`${home}; ${installer} install`)
        const verdict = yield* machine.run(
          "systemd-analyze verify --user --man=no ~/.config/systemd/user/autopilotd.service"
        )
        assert.deepStrictEqual(verdict, { code: 0, stdout: "", stderr: "" })
        const status = yield* machine.sh(`"$HOME/my 100% agents/bin/autopilotd" status --json`)
        const [mainPid] = yield* serviceOn(machine).show("MainPID")
        assert.include(status, `"daemon_pid":${mainPid},`)
        yield* machine.sh("systemctl --user reload autopilotd && systemctl --user restart autopilotd")
        yield* panelIsService(machine, home)
        yield* machine.sh(`${home}; ${installer} uninstall`)
        assert.strictEqual(
          yield* machine.sh("systemctl --user list-units --all --plain --no-legend 'autopilotd*'"),
          ""
        )
        assert.strictEqual(yield* machine.sh("find ~/.config ~/my* -path '*/bin/*' -o -name '*.service'"), "")
      })
  )
})
