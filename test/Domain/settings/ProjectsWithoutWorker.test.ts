import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import { withoutWorker } from "../../../src/Domain/settings/ProjectsWithoutWorker.ts"
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

  it("is refused without a word about projects when there is but one", () => {
    const [first = ""] = refusal({})
    assert.match(first, /^There is no worker to start: no command was given/)
  })

  it("names the projects that have no worker, and where each could get one", () => {
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

  it("asks which project is meant when options are given for a top level without worker", () => {
    const lines = refusal({ projects: { shop: { worker_command: worker } } }, { model: "opus" })
    assert.match(lines[0] ?? "", /^There is no worker to start for the project default: /)
    assert.include(lines.join("\n"), "autopilotd start --project NAME")
  })
})
