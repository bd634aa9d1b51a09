import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { noProgram, unlessMissing } from "../fixtures/Missing.ts"
import { temporaryFolder } from "../fixtures/TemporaryFolder.ts"
import { npm } from "../live/daemon/NodeRelease.ts"
import { bootedMachine, noBootedMachine } from "../systemd/BootedMachine.ts"
import { fixture } from "../systemd/Machine.ts"
import { serviceOn, workerIs } from "../systemd/Service.ts"
import { linesBelow, root } from "./Pages.ts"

const playbooks = join(root, "deploy/ansible")
// The machine that boots has no /opt of this one.
const noAnsible = noProgram("/usr/bin/ansible-playbook", "ansible-core")
const noLint = noProgram("ansible-lint")

/** What ansible-lint says of the playbook and the role in a copy of the folder. Without a repository of git it lints all that it is given. */
const linted = Effect.fnUntraced(function* (change: (folder: string) => void = () => {}) {
  const folder = yield* temporaryFolder
  fs.cpSync(playbooks, folder, { recursive: true })
  change(folder)
  const options = ["--offline", "--nocolor", "--profile", "production"]
  const { error, status, stderr, stdout } = spawnSync(
    "ansible-lint",
    [...options, "site.yml", "roles/autopilotd"],
    {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, HOME: folder, NO_COLOR: "1" }
    }
  )
  return error === undefined ? { status, said: stdout + stderr } : yield* Effect.die(error)
})

/** The numbers that ansible-playbook sums up for the machine. */
const recap = (said: string): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...(/^localhost +: (.*)$/m.exec(said)?.[1] ?? "").matchAll(/(\w+)=(\d+)/g)].map(
      ([, name = "", count]) => [name, Number(count)]
    )
  )

describe("the role for Ansible", () => {
  unlessMissing(noLint)("has no finding of ansible-lint's strictest profile, which does find a mistake", () =>
    Effect.gen(function* () {
      const found = yield* linted()
      assert.strictEqual(found.status, 0, found.said)
      assert.match(found.said, /Passed with production profile: 0 failure\(s\), 0 warning\(s\) on 7 files/)
      const planted = yield* linted((folder) => {
        const tasks = join(folder, "roles/autopilotd/tasks/main.yml")
        fs.writeFileSync(tasks, fs.readFileSync(tasks, "utf8").replace('mode: "0600"', "modes: 0600"))
      })
      assert.notStrictEqual(planted.status, 0, planted.said)
    })
  )

  unlessMissing(noAnsible, noBootedMachine)(
    "makes a machine supervise an agent, by the commands of docs/ansible.md; the second run changes nothing, new settings are in force",
    () =>
      Effect.gen(function* () {
        const machine = yield* bootedMachine
        // In the home of the user of the machine, which both sides see: no checkout is writable there.
        const work = machine.outside("work")
        fs.cpSync(playbooks, join(work, "deploy/ansible"), { recursive: true })
        yield* Effect.promise(() => npm(["pack", "--pack-destination", join(work, "deploy/ansible")], root))
        const inventory = join(work, "deploy/ansible/inventory.ini")
        fs.writeFileSync(inventory, "[agents]\nlocalhost ansible_connection=local ansible_become_method=su\n")
        const site = join(work, "deploy/ansible/site.yml")
        const set = (settings: string, env = "TOKEN=of-the-vault\n") =>
          fs.writeFileSync(
            site,
            fs
              .readFileSync(join(playbooks, "site.yml"), "utf8")
              .replace("autopilotd_user: ada", "autopilotd_user: tester")
              .replace(/autopilotd_settings: [^]*$/, `autopilotd_settings: ${JSON.stringify(settings)}\n`) +
              `        autopilotd_env: ${JSON.stringify(env)}\n` +
              "        autopilotd_path: /opt/node/bin:/usr/local/bin:/usr/bin:/bin\n"
          )
        const [commands = ""] = linesBelow("ansible.md", "Run")
        const play = commands.split("\n").filter((line) => !line.startsWith("npm "))
        const apply = machine.asRoot(`set -e; cd /home/tester/work; ${play.join("\n")}`)

        set(workerIs(fixture("sleeps.sh")))
        const first = yield* apply
        assert.deepInclude(recap(first), { failed: 0, unreachable: 0 }, first)
        assert.isAbove(recap(first)["changed"] ?? 0, 5, first)
        assert.notInclude(first, "of-the-vault")
        const before = yield* serviceOn(machine).running
        assert.strictEqual(before.containment, "cgroup")
        assert.strictEqual(yield* machine.sh("systemctl --user is-active autopilotd"), "active")
        assert.strictEqual(yield* machine.asRoot("loginctl list-sessions --no-legend"), "")
        assert.strictEqual(
          yield* machine.asRoot("stat -c '%a %U' /home/tester/.autopilot/{,daemon.toml,env}"),
          "700 tester\n600 tester\n600 tester"
        )

        const second = yield* apply
        assert.deepInclude(recap(second), { changed: 0, failed: 0, unreachable: 0 }, second)

        set(`${workerIs(fixture("sleeps.sh"))}max_turns = 7\n`)
        const third = yield* apply
        assert.deepInclude(recap(third), { failed: 0, unreachable: 0 }, third)
        assert.match(third, /RUNNING HANDLER \[autopilotd : Reload the settings\]/)
        assert.strictEqual(yield* machine.sh("/usr/local/bin/autopilotd config get max_turns"), "7")
        const after = yield* serviceOn(machine).running
        assert.deepStrictEqual([after.daemon_pid, after.worker_pid], [before.daemon_pid, before.worker_pid])

        const [look = ""] = linesBelow("ansible.md", "Look")
        const looked = yield* machine.asRoot(
          `cd /home/tester/work/deploy/ansible; PATH=$PATH:/opt/node/bin; ${look.replace("ada", "tester")}`
        )
        assert.match(looked, /^Worker status: {2}running$/m)
      })
  )
})
