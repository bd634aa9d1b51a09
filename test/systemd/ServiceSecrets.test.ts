import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { command, eventually } from "../live/TestDaemon.ts"
import { autopilotd, started, workerIs } from "./Service.ts"
import { underUserManager } from "./UserManager.ts"

/** All that a folder holds as text. */
const everythingIn = (folder: string, except: ReadonlyArray<string>): string =>
  fs
    .readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => !except.includes(path) && fs.statSync(join(folder, path)).isFile())
    .map((path) => fs.readFileSync(join(folder, path), "latin1"))
    .join("\n")

const secret = "sk-service-5d1f0a77"

/** What a person does with a key, and what the worker does with it. */
const cases = [
  { what: "a worker that keeps it to itself", says: "", redact: false },
  {
    what: "a worker that prints it, with log.redact",
    says: 'echo "my key is $AGENT_KEY"; echo "its $AGENT_KEY is refused" >&2;',
    redact: true
  }
] as const

describe("a key in the env file of the service", () => {
  for (const { redact, says, what } of cases) {
    underUserManager(`reaches ${what}, and nothing that can be read later`, (machine) =>
      Effect.gen(function* () {
        const worker = `env >"$HOME/paper"; ${says} echo "last words" >&2; exit 3`
        const service = yield* started(machine, {
          envFile: `AGENT_KEY="${secret}"\n`,
          settings: `${workerIs("/bin/sh", "-c", worker)}restart.max_consecutive_restarts = 1\nlog.redact = ${redact}\n`
        })
        yield* service.status("it has given up", (data) => data.worker_status === "failed")
        const paper = yield* eventually(
          "the worker has written its environment",
          Effect.sync(() => machine.read("paper"))
        )
        assert.include(paper.split("\n"), `AGENT_KEY=${secret}`)
        yield* service.journalHas(/^default\| last words$/)
        if (redact) yield* service.journalHas(/^default\| its .* is refused$/)
        const [mainPid] = yield* service.show("MainPID")
        const asked = yield* Effect.forEach(
          ["status", "status --json", "why", "history", "history --json", "config check"],
          (line) => command({ home: service.home, args: line.split(" ") })
        )
        const told = yield* machine.sh(
          [
            "systemctl --user show autopilotd",
            "systemctl --user status autopilotd -n 100",
            "systemctl --user cat autopilotd",
            "systemctl --user show-environment",
            `${autopilotd} doctor`,
            `${autopilotd} logs`,
            `tr '\\0' '\\n' </proc/${mainPid}/environ`,
            `tr '\\0' '\\n' </proc/${mainPid}/cmdline`,
            "true"
          ].join("; ")
        )
        assert.include(told, "last words")
        // All fields of all lines of everybody on this machine.
        const journal = yield* machine.asRoot("journalctl -o export")
        assert.include(journal, "last words")
        for (const text of [told, JSON.stringify(asked), journal, everythingIn(service.home, ["env"])])
          assert.notInclude(text, secret)
      })
    )
  }
})
