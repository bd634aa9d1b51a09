import { assert, describe, it } from "@effect/vitest"
import { argvOf } from "../../../src/Domain/settings/WorkerCommand.ts"

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

  it("runs cargo on the autopilot package, with the manifest if one is set", () => {
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

  it("runs a command unchanged", () => {
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
