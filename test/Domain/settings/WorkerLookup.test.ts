import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { type CommandFacts, findWorker, withoutWorker } from "../../../src/Domain/settings/WorkerLookup.ts"
import type { RawSettings } from "../../../src/Domain/toml/RawSettings.ts"
import { inForce } from "../../fixtures/SettingsInForce.ts"

const worker = { type: "Command", argv: ["agent"] }
const refusal = (file: RawSettings, commandLine: RawSettings = {}) =>
  Option.match(withoutWorker(inForce(file, { commandLine })), {
    onNone: () => [],
    onSome: ({ message }) => message.split("\n")
  })

describe("A start", () => {
  it("is not refused when every project has a worker", () => {
    assert.deepStrictEqual(refusal({ worker_command: worker, projects: { shop: {} } }), [])
    assert.deepStrictEqual(refusal({ projects: { shop: { worker_command: worker } } }), [])
  })

  it("is refused without mentioning projects when there is only one", () => {
    const [first = ""] = refusal({})
    assert.match(first, /^There is no worker to start: no command was given/)
  })

  it("names the projects without a worker and the ways to set one", () => {
    const projects = { shop: { working_dir: "/shop" }, blog: { worker_command: worker }, "a.b": {} }
    const [first, ...choices] = refusal({ working_dir: "/w", projects })
    assert.strictEqual(
      first,
      "There is no worker to start for the projects shop and a.b: no command is set. Choose one of:"
    )
    const names = choices.map((line) => line.trim().split(/ {2,}/)[0])
    assert.deepStrictEqual(names, [
      "[projects.shop.worker_command] in daemon.toml",
      "/shop/Cargo.toml",
      '[projects."a.b".worker_command] in daemon.toml',
      "/w/Cargo.toml",
      "[worker_command] in daemon.toml",
      "AUTOPILOT_WORKER_BINARY",
      "/home/u/.autopilot/bin/autopilot"
    ])
  })

  it("suggests --project when options are given for a top level without a worker", () => {
    const lines = refusal({ projects: { shop: { worker_command: worker } } }, { model: "opus" })
    assert.match(lines[0] ?? "", /^There is no worker to start for the project default: /)
    assert.include(lines.join("\n"), "autopilotd start --project NAME")
  })
})

describe("findWorker", () => {
  const none: CommandFacts = {
    environmentBinary: undefined,
    homeBinary: "/home/u/.autopilot/bin/autopilot",
    homeBinaryExists: false,
    workingDir: "/code",
    workingDirHasCargoToml: false
  }
  const found = (facts: Partial<CommandFacts>) => Either.getOrThrow(findWorker({ ...none, ...facts }))

  it("prefers AUTOPILOT_WORKER_BINARY, then the home's binary, then a Cargo.toml", () => {
    const all = { environmentBinary: "/env/autopilot", homeBinaryExists: true, workingDirHasCargoToml: true }
    assert.deepStrictEqual(found(all), {
      command: { _tag: "Binary", path: "/env/autopilot", args: [] },
      source: "environment AUTOPILOT_WORKER_BINARY"
    })
    assert.deepStrictEqual(found({ ...all, environmentBinary: undefined }).command, {
      _tag: "Binary",
      path: none.homeBinary,
      args: []
    })
    assert.deepStrictEqual(found({ workingDirHasCargoToml: true }).command, { _tag: "Cargo", args: [] })
  })

  it("says what can be done when nothing names a worker", () => {
    const { message } = Either.getOrThrow(Either.flip(findWorker(none)))
    for (const choice of [
      "-- CMD ARGS",
      "[worker_command]",
      "AUTOPILOT_WORKER_BINARY",
      none.homeBinary,
      "/code/Cargo.toml"
    ]) {
      assert.include(message, choice)
    }
  })
})
