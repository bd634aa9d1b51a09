import { assert, describe, it } from "@effect/vitest"
import { emptyState, type SavedState } from "../../../src/Domain/worker/SavedState.ts"
import { type Saving, savingOf } from "../../../src/Domain/worker/Saving.ts"

const leader = { bootId: "b", homeId: "h", processes: [{ pid: 7, startTicks: 1 }] }
const survivor = { ...leader, processes: [{ pid: 9, startTicks: 5 }] }
const running: SavedState = { ...emptyState, wanted: "up", workerId: "h:p:1", sinceMs: 10, tree: leader }
const { tree: _, ...gone } = running

describe("a change of a project's state", () => {
  const cases: ReadonlyArray<
    readonly [what: string, before: SavedState | undefined, after: SavedState, Saving]
  > = [
    ["the first state", undefined, emptyState, "now"],
    ["nothing", running, { ...running }, "none"],
    ["the leader of a run that has begun", gone, running, "soon"],
    ["the exit of a leader", running, { ...running, lastEnd: { code: 1 }, sinceMs: 20 }, "soon"],
    ["the next run after a failure", running, { ...gone, failures: 1, workerId: "h:p:2" }, "quickly"],
    [
      "a backoff",
      running,
      { ...gone, failures: 1, wait: { kind: "backoff", untilMs: 9, because: "x" } },
      "now"
    ],
    ["a stop by a user", running, { ...gone, wanted: "down", stopped: "asked" }, "now"],
    ["a start by a user", { ...gone, wanted: "down" }, { ...gone, workerId: "h:p:2" }, "now"],
    ["a start after failed", { ...gone, failed: "x" }, { ...gone, workerId: "h:p:2" }, "now"],
    ["processes that survived a kill", running, { ...running, tree: survivor }, "now"],
    ["the end of the tree when the daemon stops", running, gone, "now"]
  ]

  it("is saved soon: the end of the tree before the verdict", () => {
    assert.strictEqual(savingOf(running, { ...gone, lastEnd: { code: 1 } }, true), "soon")
  })

  for (const [what, before, after, how] of cases) {
    it(`is saved ${how === "none" ? "not at all" : how}: ${what}`, () => {
      assert.strictEqual(savingOf(before, after), how)
    })
  }
})
