import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { unlessMissing } from "../fixtures/Missing.ts"
import { temporaryFolder } from "../fixtures/TemporaryFolder.ts"

const units = resolve(import.meta.dirname, "../../systemd")

/** Why systemd cannot be asked about a unit file here; undefined when it can. */
const noVerdict = ((): string | undefined => {
  const { error } = spawnSync("systemd-analyze", ["--version"])
  return error === undefined ? undefined : `systemd-analyze cannot be run: ${error.message}`
})()

/** All that systemd has to say about a unit in a home that has the launcher. Its exit code says nothing of unknown keys. */
const verdict = Effect.fnUntraced(function* (path: string) {
  const home = yield* temporaryFolder
  fs.mkdirSync(join(home, ".autopilot/bin"), { recursive: true })
  fs.writeFileSync(join(home, ".autopilot/bin/autopilotd"), "#!/bin/sh\n", { mode: 0o755 })
  const { error, stderr, stdout } = spawnSync("systemd-analyze", ["verify", "--user", "--man=no", path], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], HOME: home, XDG_RUNTIME_DIR: home, LC_ALL: "C.UTF-8" }
  })
  return error === undefined ? stdout + stderr : yield* Effect.die(error)
})

/** The settings of a unit, without comments. */
const settingsIn = (path: string): ReadonlyArray<string> =>
  fs
    .readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => /^\w+=/.test(line))

describe("the system unit for one user", () => {
  it("differs from the user unit only in who runs it, from where, and when", () => {
    const ofUser = settingsIn(join(units, "autopilotd.service"))
    const ofSystem = settingsIn(resolve(units, "../deploy/systemd/autopilotd@.service"))
    const name = (line: string) => line.slice(0, line.indexOf("="))
    assert.sameMembers(ofSystem.filter((line) => !ofUser.includes(line)).map(name), [
      "Description",
      "After",
      "User",
      "WorkingDirectory",
      "ExecStart",
      "ExecReload",
      "WantedBy"
    ])
    assert.sameMembers(ofUser.filter((line) => !ofSystem.includes(line)).map(name), [
      "Description",
      "ExecStart",
      "ExecReload",
      "WantedBy"
    ])
  })
})

describe("a unit that is shipped", () => {
  for (const name of fs.readdirSync(units).filter((name) => name.endsWith(".service"))) {
    unlessMissing(noVerdict)(`is understood by systemd without a word: ${name}`, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* verdict(join(units, name)), "")
      })
    )

    unlessMissing(noVerdict)(
      `would not pass with a key in the wrong section, or one that there is not: ${name}`,
      () =>
        Effect.gen(function* () {
          const folder = yield* temporaryFolder
          const text = fs.readFileSync(join(units, name), "utf8")
          const wrong = text.replace("[Service]\n", "[Service]\nStartLimitIntervalSec=300\nRestartSecs=5\n")
          fs.writeFileSync(join(folder, name), wrong)
          const said = yield* verdict(join(folder, name))
          assert.match(said, /Unknown key.*StartLimitIntervalSec/)
          assert.match(said, /Unknown key.*RestartSecs/)
        })
    )
  }
})
