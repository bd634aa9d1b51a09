import { assert, describe, it } from "@effect/vitest"
import { troubleIn, troubleSentence, troubleText } from "../../../src/Domain/systemd/UnitTrouble.ts"

const shown = (properties: Readonly<Record<string, string>>) =>
  troubleIn("autopilotd", new Map(Object.entries(properties)))

const sentence = (properties: Readonly<Record<string, string>>) => {
  const trouble = shown(properties)
  return trouble === undefined ? undefined : troubleSentence(trouble)
}

const exited = { Result: "exit-code", ExecMainCode: "1", ExecMainStatus: "1" }

describe("a unit whose process does not stay", () => {
  it("is told with systemd's state, the result, the exit, and what systemd does next", () => {
    assert.strictEqual(
      sentence({ ...exited, ActiveState: "activating", SubState: "auto-restart", NRestarts: "3" }),
      "The service autopilotd does not stay up: activating (auto-restart), result exit-code, exit code 1, 3 restarts; systemd tries again by itself."
    )
    assert.strictEqual(
      sentence({
        ActiveState: "failed",
        SubState: "failed",
        Result: "start-limit-hit",
        NRestarts: "5",
        ExecMainCode: "2",
        ExecMainStatus: "9"
      }),
      "The service autopilotd does not stay up: failed, result start-limit-hit, signal 9, 5 restarts; systemd does not start it again."
    )
    // Between two attempts.
    assert.match(
      String(sentence({ ...exited, ActiveState: "activating", SubState: "start", NRestarts: "1" })),
      /tries again/
    )
  })

  it("is none that runs, that a user has stopped, or that starts for the first time", () => {
    for (const [ActiveState, SubState, NRestarts] of [
      ["active", "running", "4"],
      ["inactive", "dead", "4"],
      ["activating", "start", "0"]
    ] as const)
      assert.isUndefined(shown({ ActiveState, SubState, NRestarts, Result: "success" }))
  })

  it("shows its last lines one by one", () => {
    const trouble = shown({ ...exited, ActiveState: "failed", SubState: "failed", NRestarts: "0" })
    assert.isDefined(trouble)
    if (trouble === undefined) return
    assert.deepStrictEqual(troubleText({ trouble, lastLines: ["a", "b"] }).slice(1), [
      "Its last lines:",
      "  a",
      "  b"
    ])
    assert.lengthOf(troubleText({ trouble, lastLines: [] }), 1)
  })
})
