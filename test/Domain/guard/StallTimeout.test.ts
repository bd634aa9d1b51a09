import { assert, describe, it } from "@effect/vitest"
import { stallTimeoutOf } from "../../../src/Domain/guard/StallTimeout.ts"
import type { Argv } from "../../../src/Domain/settings/WorkerCommand.ts"

const worker = (program: string, ...args: ReadonlyArray<string>) => {
  const argv: Argv = [program, ...args]
  return { argv, command: { _tag: "Command", argv } as const }
}

const claude = worker("claude", "-p", "x", "--output-format", "stream-json", "--verbose")

describe("the stall timeout", () => {
  it("is 30 minutes for an agent whose stream is known, and off for all others", () => {
    assert.strictEqual(stallTimeoutOf(undefined, claude), 1_800_000)
    assert.strictEqual(stallTimeoutOf(undefined, worker("codex", "exec", "--json", "x")), 1_800_000)
    assert.strictEqual(stallTimeoutOf(undefined, worker("claude", "-p", "x")), false)
    assert.strictEqual(stallTimeoutOf(undefined, worker("sleep", "9")), false)
    assert.strictEqual(stallTimeoutOf(undefined, undefined), false)
  })

  it("is off for an agent that prints nothing while a tool of its own runs", () => {
    assert.strictEqual(stallTimeoutOf(undefined, worker("opencode", "run", "--format", "json", "x")), false)
  })

  it("is what the settings say, also off", () => {
    assert.strictEqual(stallTimeoutOf(60_000, worker("sleep", "9")), 60_000)
    assert.strictEqual(stallTimeoutOf(false, claude), false)
  })
})
