import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { argvOf, type CommandFacts, findWorker } from "../../../src/Domain/settings/WorkerCommand.ts"

const given = { model: "sonnet", maxBudget: 300, maxTurns: 99_999 }

describe("argvOf", () => {
  it("runs a binary with the original's arguments, the project's name only when there is one", () => {
    const binary = { _tag: "Binary", path: "/bin/autopilot", args: ["--verbose"] } as const
    assert.strictEqual(
      argvOf(binary, given).join(" "),
      "/bin/autopilot run --full-auto --model sonnet --max-budget 300 --max-turns 99999 --verbose"
    )
    assert.strictEqual(
      argvOf(binary, { ...given, project: "openagents" }).join(" "),
      "/bin/autopilot run --full-auto --model sonnet --max-budget 300 --max-turns 99999 --project openagents --verbose"
    )
  })

  it("runs cargo on the autopilot package, of another manifest when one is named", () => {
    const run = "run --full-auto --model sonnet --max-budget 300 --max-turns 99999"
    assert.strictEqual(
      argvOf({ _tag: "Cargo", args: [] }, given).join(" "),
      `cargo run -p autopilot --bin autopilot -- ${run}`
    )
    assert.strictEqual(
      argvOf({ _tag: "Cargo", manifestPath: "/r/Cargo.toml", args: ["-q"] }, given).join(" "),
      `cargo run --manifest-path /r/Cargo.toml -p autopilot --bin autopilot -- ${run} -q`
    )
  })

  it("runs a command as it stands", () => {
    const argv = ["claude", "-p", "a b", ""] as const
    assert.deepStrictEqual(argvOf({ _tag: "Command", argv }, given), argv)
  })

  it.each([
    [300, "300"],
    [12.5, "12.5"],
    [0, "0"],
    [1e21, "1000000000000000000000"],
    [1e-7, "0.0000001"]
  ])("writes a budget of %d as %s", (maxBudget, text) => {
    const argv = argvOf({ _tag: "Binary", path: "a", args: [] }, { ...given, maxBudget })
    assert.strictEqual(argv[argv.indexOf("--max-budget") + 1], text)
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
