import * as fs from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { verbs } from "../../../src/Domain/cli/CommandTable.ts"
import { textsOf } from "../../../src/Domain/cli/CommandTexts.ts"
import { generalExamples } from "../../../src/Domain/cli/Manual.ts"
import { runsHere } from "../../fixtures/CommandHere.ts"
import { command, eventually, launcher, run, temporaryHome } from "../TestDaemon.ts"

const examples = [...new Set([...generalExamples, ...verbs.flatMap((verb) => textsOf(verb).examples)])]

/** The examples that end by Ctrl-C, with what they say first where nothing runs and nothing is set. */
const endless: Readonly<Record<string, RegExp>> = {
  "autopilotd logs -f":
    /^autopilotd: There are no logs of workers in .* yet\. Waiting for one; Ctrl-C ends\.\n$/,
  "autopilotd logs shop -f": /^autopilotd: No worker of project "shop" has left a log yet\. Waiting for one/,
  "autopilotd start -- claude -p 'Fix the failing tests'": /started, pid \d+.*stop it with Ctrl-C/,
  "autopilotd start --exit-when-finished -- claude -p 'Fix the failing tests'":
    /started, pid \d+.*stop it with Ctrl-C/,
  "autopilotd gui --open": /^The panel is at http:/,
  "autopilotd gui --port 0 --start --workdir ~/code/shop": /autopilotd init [^]*The panel is at http:/
}

/** The words for what an example needs and does not find, and for what to do about it. */
const needs =
  /Start it with: autopilotd start\n|^ {2}autopilotd init |^autopilotd: (There is no project "shop"|There is no folder \S+, so nothing was changed\. Create it|There are no logs|No worker of project "shop"|The relay has nothing to do|There is no host to look at)|No channel is set: |set VISUAL or EDITOR|does not exist\. Write it, or leave --config out|Give it one \(autopilotd config set|systemd/m

const surroundings = Effect.map(temporaryHome, (userHome) => {
  const home = join(userHome, ".autopilot")
  const bin = join(userHome, "bin")
  fs.mkdirSync(bin)
  fs.writeFileSync(join(bin, "xdg-open"), "#!/bin/sh\n", { mode: 0o755 })
  fs.writeFileSync(join(bin, "claude"), "#!/bin/sh\nexec sleep 1000\n", { mode: 0o755 })
  const path = [dirname(launcher), bin, process.env["PATH"]].join(delimiter)
  const env = { HOME: userHome, AUTOPILOT_HOME: home, PATH: path, EDITOR: "true", VISUAL: undefined }
  return {
    home,
    cwd: userHome,
    env: { ...env, XDG_RUNTIME_DIR: undefined, DBUS_SESSION_BUS_ADDRESS: undefined }
  }
})

describe("every example of the help, in an empty home,", () => {
  it.scopedLive("works, or says what it needs", () =>
    Effect.forEach(
      examples.filter((line) => endless[line] === undefined),
      (line) =>
        Effect.scoped(
          Effect.gen(function* () {
            const { cwd, env, home } = yield* surroundings
            const args = line.split(" ").slice(1)
            const said =
              /^[a-z0-9 .-]+$/.test(line) && runsHere(args)
                ? yield* command({ home, args })
                : yield* command({ home, cwd, env, command: "/bin/sh", args: ["-c", line] })
            const text = `${line}\n${said.stdout}${said.stderr}`
            if (said.code === 0) return
            assert.include([1, 3], said.code, text)
            const words = line.includes("--json")
              ? `autopilotd: ${JSON.parse(said.stdout).message}\n`
              : said.stderr
            assert.match(words, needs, text)
          })
        ),
      { concurrency: 2, discard: true }
    )
  )

  it.scopedLive("stays until Ctrl-C where it is meant to, and says so", () =>
    Effect.forEach(
      Object.entries(endless),
      ([line, words]) =>
        Effect.scoped(
          Effect.gen(function* () {
            assert.include(examples, line)
            const { cwd, env, home } = yield* surroundings
            const { child, ended, stderr, stdout } = yield* run({
              home,
              cwd,
              env,
              command: "/bin/sh",
              args: ["-c", `exec ${line}`]
            })
            yield* eventually(`${line} speaks`, () => words.test(stderr() + stdout()))
            child.kill("SIGINT")
            assert.notStrictEqual((yield* ended).code, 2, line)
          })
        ),
      { concurrency: 2, discard: true }
    )
  )
})
