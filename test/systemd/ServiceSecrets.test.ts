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

/** A worker that writes its environment to a file, and exits after its last words. */
const settings = (says: string, redact: boolean, paper: string): string =>
  `${workerIs("/bin/sh", "-c", `env >"$HOME/${paper}"; ${says} echo "last words" >&2; exit 3`)}restart.max_consecutive_restarts = 1\nlog.redact = ${redact}\n`

describe("a key in the env file of the service", () => {
  underUserManager(
    "reaches a worker that keeps it, and one that prints it with log.redact, and nothing that can be read later",
    (machine) =>
      Effect.gen(function* () {
        const service = yield* started(machine, {
          envFile: `AGENT_KEY="${secret}"\n`,
          settings: settings("", false, "kept")
        })
        const hasKey = Effect.fnUntraced(function* (paper: string) {
          const environment = yield* eventually(
            "the worker has written its environment",
            () => machine.read(paper) || undefined
          )
          assert.include(environment.split("\n"), `AGENT_KEY=${secret}`)
          yield* service.status("it has given up", (data) => data.worker_status === "failed")
        })
        yield* hasKey("kept")
        yield* service.journalHas(/^default\| last words$/)
        const prints = 'echo "my key is $AGENT_KEY"; echo "its $AGENT_KEY is refused" >&2;'
        machine.write(".autopilot/daemon.toml", settings(prints, true, "printed"))
        yield* service.tell("reload")
        yield* service.tell("start-worker --no-wait")
        yield* hasKey("printed")
        yield* service.journalHas(/^default\| its .* is refused$/)
        const [mainPid] = yield* service.show("MainPID")
        const asked = yield* Effect.forEach(
          ["status", "status --json", "why", "history", "history --json", "config check", "logs"],
          (line) => command({ home: service.home, args: line.split(" ") })
        )
        const told = yield* machine.sh(
          [
            "systemctl --user show autopilotd",
            "systemctl --user status autopilotd -n 100",
            "systemctl --user cat autopilotd",
            "systemctl --user show-environment",
            `${autopilotd} doctor`,
            `tr '\\0' '\\n' </proc/${mainPid}/environ`,
            `tr '\\0' '\\n' </proc/${mainPid}/cmdline`,
            "true"
          ].join("; ")
        )
        // All fields of all lines of everybody on this machine.
        const journal = yield* machine.asRoot("journalctl -o export")
        for (const text of [told, asked.at(-1)?.stdout ?? "", journal]) assert.include(text, "last words")
        for (const text of [told, JSON.stringify(asked), journal, everythingIn(service.home, ["env"])])
          assert.notInclude(text, secret)
      })
  )
})
