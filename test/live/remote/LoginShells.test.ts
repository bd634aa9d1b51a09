import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { canonicalArgv } from "../../../src/Domain/cli/CommandLine.ts"
import { verbs } from "../../../src/Domain/cli/CommandTable.ts"
import { hostChoice, withoutHost } from "../../../src/Domain/cli/HostChoice.ts"
import { anyInvocation } from "../../Domain/cli/commandLines.ts"
import { unlessMissing } from "../../fixtures/Missing.ts"
import { loginShells, noSshd, sshBed } from "./SshBed.ts"

const ascii = Array.from({ length: 127 }, (_, at) => String.fromCharCode(at + 1)).join("")

/** Words that some shell reads in its own way. */
const words: ReadonlyArray<string> = [
  "",
  "two words",
  "it's",
  '"$HOME"',
  "$(id) `id` ${x}",
  "!! !$ a!b!",
  "\\",
  "\\\\ \\' \\! \\n \\0101 %s %b",
  "'",
  "*?[a-z]{a,b} ~ =ls #x ^a^b",
  "a|b;c&d<e>f(g)",
  "a\tb\rc",
  "\n",
  "ends in two\n\n",
  "a\\\nb",
  "\u00e9\u20ac\u{1f600}",
  ascii,
  "x".repeat(20_000)
]

describe("a command on another machine", () => {
  unlessMissing(...noSshd)("gets every argument byte for byte, whatever the login shell there", () =>
    Effect.gen(function* () {
      const { folder, here } = yield* sshBed
      for (const shell of loginShells) {
        const home = join(folder, "recorders", shell)
        for (const given of [words, words.filter((word) => !word.includes("\n"))]) {
          const ran = yield* here(["run", "--host", `ssh://${shell}${home}`, "--", ...given], {
            AUTOPILOTD_HOST: "elsewhere"
          })
          assert.deepStrictEqual([ran.code, ran.stdout, ran.stderr], [0, "", ""], shell)
          const arrived = fs.readFileSync(join(home, "words"), "utf8").split("\0").slice(0, -1)
          assert.deepStrictEqual(arrived, ["run", "--", ...given], shell)
        }
        const env = fs.readFileSync(join(home, "env"), "utf8")
        assert.notInclude(env, "AUTOPILOTD_HOST")
        assert.include(env, `AUTOPILOT_HOME=${home}\n`)
      }
    })
  )

  unlessMissing(...noSshd)("is any of the table, with any option and any word that fits", () =>
    Effect.gen(function* () {
      const { folder, here } = yield* sshBed
      const invocations = FastCheck.sample(anyInvocation, { numRuns: 2000, seed: 20261130 })
      for (const [at, verb] of verbs.entries()) {
        const shell = loginShells[at % loginShells.length] ?? "bash"
        const home = join(folder, "recorders", shell)
        const found = invocations.find(
          (one) => one.verb === verb && !canonicalArgv(one).some((word) => word.includes("\0"))
        )
        assert.isDefined(found, verb)
        if (found === undefined) continue
        const invocation = { ...found, options: { ...found.options, host: `ssh://${shell}${home}` } }
        const { runsHere } = hostChoice({ _tag: "Run", invocation }, undefined)
        // The panel gets a port of its own besides.
        if (runsHere || verb === "gui") continue
        const argv = canonicalArgv(invocation)
        const ran = yield* here(argv)
        assert.deepStrictEqual([ran.code, ran.stdout, ran.stderr], [0, "", ""], argv.join(" "))
        const arrived = fs.readFileSync(join(home, "words"), "utf8").split("\0").slice(0, -1)
        assert.deepStrictEqual(arrived, withoutHost(argv), `${shell}: ${verb}`)
      }
    })
  )

  unlessMissing(...noSshd)("finds an autopilotd whose Node only the login shell knows", () =>
    Effect.gen(function* () {
      const { here } = yield* sshBed
      for (const shell of loginShells) {
        // The .bashrc there prints, also a line without an end.
        const version = yield* here(["--version", "--host", shell])
        assert.deepStrictEqual([version.code, version.stderr], [0, ""], shell)
        assert.match(version.stdout, /^autopilotd \d+\.\d+\.\d+\n$/, shell)
      }
    })
  )
})
