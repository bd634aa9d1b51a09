import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually } from "../live/TestDaemon.ts"
import { inState, project as workerOf } from "../live/worker/SeveralProjects.ts"
import { fixture, node, project } from "./Machine.ts"
import { autopilotd, placed, prepare, serviceOn, soonRestarted, started } from "./Service.ts"
import { underUserManager } from "./UserManager.ts"

/** Prints what the panel shows, without a browser. */
const pageOfPanel = `${project}/bin/autopilotd gui --port 0 >panel.out & panel=$!
for look in $(seq 300); do grep -q token= panel.out && break; sleep 0.1; done
${node} -e '
  const [origin, token] = process.argv[1].split("/#token=")
  fetch(origin + "/ui/page", { headers: { "x-autopilotd-token": token } }).then(async (answer) => console.log(await answer.text()))
' "$(grep -o 'http:[^ ]*' panel.out)"
kill $panel`

describe("the service", () => {
  underUserManager(
    "is installed by four commands, answers when the last of them returns, and systemctl status says how the worker does",
    (machine) =>
      Effect.gen(function* () {
        prepare(machine)
        yield* machine.sh(`cd ${project} && mkdir -p ~/.config/systemd/user &&
        cp systemd/autopilotd.service ~/.config/systemd/user/ && systemctl --user daemon-reload &&
        systemctl --user enable autopilotd && systemctl --user start autopilotd`)
        assert.match(yield* machine.sh(`${autopilotd} status`), /^Worker status: +(starting|running)$/m)
        assert.strictEqual(
          yield* machine.sh("systemctl --user is-active autopilotd; systemctl --user is-enabled autopilotd"),
          "active\nenabled"
        )
        const service = serviceOn(machine)
        const { daemon_pid, worker_pid } = yield* service.running
        assert.deepStrictEqual(yield* service.show("MainPID", "NRestarts"), [String(daemon_pid), "0"])

        yield* service.shows("StatusText", new RegExp(`^running, pid ${worker_pid}\\b`))
        assert.match(
          yield* machine.sh("systemctl --user status autopilotd"),
          new RegExp(`Active: active \\(running\\)[^]*Status: "running, pid ${worker_pid}`)
        )
        yield* service.tell("stop-worker")
        yield* service.shows("StatusText", /^stopped: stopped by command$/)
        yield* service.tell("start-worker")
        yield* service.shows("StatusText", /^running, pid \d+/)

        // One more agent of a user at the shell runs in the daemon of the service, and ends with it.
        const more = yield* machine.sh(`cd && ${autopilotd} run --project more -- ${fixture("sleeps.sh")}`)
        assert.match(more, /The worker of more is running/)
        assert.match(yield* machine.sh(`${autopilotd} projects`), /^ {2}more +running/m)
        yield* machine.sh("systemctl --user stop autopilotd")
        assert.deepStrictEqual(yield* service.members, [])
      })
  )

  underUserManager(
    "is not started with settings that are wrong, says so in the journal, and stays down after five times",
    (machine) =>
      Effect.gen(function* () {
        const service = yield* placed(machine, {
          settings: "[restart]\nstop_grace = 5\n",
          dropIn: soonRestarted
        })
        assert.strictEqual((yield* machine.run("systemctl --user start autopilotd")).code, 1)
        const line = yield* service.journalHas(/stop_grace/, "-p err")
        assert.match(line.text, /daemon\.toml:2/)
        yield* service.shows("ActiveState", /^failed$/)
        yield* service.journalHas(/Start request repeated too quickly/)
        const starts = (yield* service.journal()).filter(
          ({ identifier, text }) => identifier === "systemd" && text.startsWith("Starting ")
        )
        assert.strictEqual(starts.length, 5)
        // Each command that a person tries says that it failed, why, and what to do.
        const state =
          /does not stay up: failed, result (start-limit-hit|exit-code), exit code 1, [45] restarts/
        for (const line of ["why", "status", "doctor"]) {
          const { code, stderr, stdout } = yield* machine.run(`${project}/bin/autopilotd ${line}`)
          const said = (stdout + stderr).replace(/\s+/g, " ")
          assert.match(said, state, `${line}: ${said}`)
          assert.match(said, /Its last lines: .*daemon\.toml:2: restart\.stop_grace is not a setting/, line)
          assert.match(said, /autopilotd start --detach/, line)
          assert.notMatch(said, /It is active|No daemon is running\. ->/, line)
          assert.strictEqual(code, { why: 0, status: 3, doctor: 1 }[line], line)
        }
        const page = yield* machine.sh(pageOfPanel)
        assert.match(page.replace(/\s+/g, " "), state, "the panel")
        assert.match(page, /daemon\.toml:2: restart\.stop_grace is not a setting/)
        const again = yield* machine.run("systemctl --user start autopilotd")
        assert.strictEqual(again.code, 1)
        assert.deepStrictEqual(yield* service.members, [])
      })
  )

  underUserManager(
    "has its lines and those of its worker in the journal, errors as errors; the worker gets nothing of systemd's",
    (machine) =>
      Effect.gen(function* () {
        const complains = ["/bin/sh", "-c", "echo '<3>no error of ours'; echo 'a complaint' >&2; exit 3"]
        const service = yield* started(machine, {
          settings: [
            "restart = { max_consecutive_restarts = 2, initial_backoff_ms = 50 }\n",
            workerOf("complains", complains),
            workerOf("tells", [fixture("tells.sh"), "/home/tester/paper"])
          ].join("")
        })
        yield* inState(service.home, "complains", "failed")
        const [mainPid] = yield* service.show("MainPID")
        const said = yield* service.journalHas(/^complains\| a complaint$/)
        assert.deepStrictEqual(said, {
          text: "complains| a complaint",
          priority: 6,
          pid: Number(mainPid),
          identifier: "autopilotd"
        })
        assert.strictEqual((yield* service.journalHas(/^complains\| <3>no error of ours$/)).priority, 6)
        const log = () =>
          fs
            .readFileSync(join(service.home, "logs/autopilotd.log"), "utf8")
            .split("\n")
            .filter((line) => /^\S+ (\S+ )?error\b/i.test(line))
        const errors = yield* eventually(
          "as many errors in the journal as in the log",
          Effect.map(service.journal("-p err"), (lines) =>
            lines.length > 0 && lines.length === log().length ? lines : undefined
          )
        )
        for (const { priority, text } of errors) {
          assert.strictEqual(priority, 3)
          assert.isTrue(
            log().some((line) => line.endsWith(text.slice(-40))),
            text
          )
        }
        assert.strictEqual((yield* service.journalHas(/Worker started/)).priority, 6)

        const { daemon_pid } = yield* service.status("it answers", () => true)
        const { worker_pid } = yield* inState(service.home, "tells", "running")
        const paper = yield* eventually(
          "the worker has told about itself",
          () => machine.read("paper") || undefined
        )
        const environ = (yield* machine.sh(`tr '\\0' '\\n' </proc/${daemon_pid}/environ`)).split("\n")
        // What systemd has given, so that its absence below means something.
        for (const name of [
          "NOTIFY_SOCKET",
          "WATCHDOG_USEC",
          "WATCHDOG_PID",
          "INVOCATION_ID",
          "JOURNAL_STREAM",
          "SYSTEMD_EXEC_PID",
          "AUTOPILOTD_NOTIFY_FD"
        ]) {
          assert.isTrue(
            environ.some((line) => line.startsWith(`${name}=`)),
            name
          )
          assert.notMatch(paper, new RegExp(`^${name}=`, "m"))
        }
        assert.notMatch(paper, /^(LISTEN_|AUTOPILOTD_(?!SUPERVISED=))/m)
        const sockets = Effect.fnUntraced(function* (pid: number | null | undefined) {
          const links = yield* machine.asRoot(`for fd in /proc/${pid}/fd/*; do readlink "$fd" || true; done`)
          return links.split("\n").filter((link) => link.startsWith("socket:"))
        })
        const ours = yield* sockets(daemon_pid)
        assert.isNotEmpty(ours)
        const shared = (yield* sockets(worker_pid)).filter((link) => ours.includes(link))
        assert.deepStrictEqual(shared, [])
      })
  )
})
