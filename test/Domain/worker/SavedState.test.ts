import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { unnamed } from "../../../src/Domain/Project.ts"
import {
  afresh,
  clearedParts,
  emptyState,
  resume,
  SavedState,
  savedStateOf
} from "../../../src/Domain/worker/SavedState.ts"
import {
  heldForMemory,
  initial,
  Phase,
  reason,
  statusWord,
  stoppedForLogin,
  type WorkerState
} from "../../../src/Domain/worker/WorkerState.ts"
import { defaultPolicy } from "../../fixtures/policies.ts"

const rules = { project: unnamed, restart: defaultPolicy }
const nowMs = 1_000_000
const states: Readonly<Record<string, WorkerState>> = {
  stopped: {
    ...initial,
    wanted: "down",
    phase: Phase.Stopped({ because: "stopped before the daemon started" })
  },
  failed: {
    ...initial,
    wanted: "up",
    failures: 10,
    phase: Phase.Failed({ epoch: 5, because: "10 failures in a row" })
  },
  restarting: {
    ...initial,
    wanted: "up",
    failures: 3,
    phase: Phase.Restarting({ epoch: 5, dueMs: nowMs + 4000, because: "exit code 1" })
  },
  waiting: {
    ...initial,
    wanted: "up",
    phase: Phase.Waiting({
      epoch: 5,
      untilMs: nowMs + 5 * 3_600_000,
      because: "usage limit",
      again: true,
      awaits: "time"
    })
  },
  "waiting with another project of its login": {
    ...initial,
    wanted: "up",
    phase: Phase.Waiting({
      epoch: 5,
      untilMs: nowMs + 3_600_000,
      because: "waits with project shop",
      again: true,
      awaits: "login"
    })
  },
  "failed for want of a login": {
    ...initial,
    wanted: "up",
    streak: { kind: "auth", inARow: 1, sinceMs: nowMs - 60_000, atMs: nowMs - 60_000 },
    phase: Phase.Failed({ epoch: 5, because: "not logged in" })
  },
  "waiting for memory": {
    ...initial,
    wanted: "up",
    phase: Phase.Waiting({
      epoch: 5,
      // When less memory is enough: that this is past changes nothing.
      untilMs: nowMs - 1000,
      because: "memory was critical",
      again: true,
      awaits: "memory"
    })
  },
  "stopping, to wait for memory": {
    ...initial,
    wanted: "up",
    phase: Phase.Stopping({
      epoch: 5,
      sequel: {
        _tag: "Hold",
        untilMs: nowMs + 900_000,
        because: "memory was critical",
        again: true,
        awaits: "memory"
      },
      asked: "memory was critical",
      cause: undefined,
      ended: undefined,
      remains: []
    })
  }
}

describe("the saved state", () => {
  for (const [word, state] of Object.entries(states)) {
    it(`keeps ${word}, with its reason`, () => {
      const [after, actions] = resume(rules, savedStateOf(state, null), nowMs)
      assert.strictEqual(
        statusWord(after),
        heldForMemory(state) === undefined ? statusWord(state) : "waiting"
      )
      assert.strictEqual(reason(after), reason(state))
      assert.strictEqual(after.failures, state.failures)
      assert.notInclude(
        actions.map((action) => action._tag),
        "Spawn"
      )
      assert.deepStrictEqual(savedStateOf(after, null), savedStateOf(state, null))
      assert.strictEqual(stoppedForLogin(after), stoppedForLogin(state))
    })
  }

  it("starts the worker instead of a hold of more than a month", () => {
    const { waiting = initial } = states
    const saved = savedStateOf(waiting, null)
    assert.isNotNull(saved.wait)
    const untilMs = Date.UTC(2099, 0)
    const [after] = resume(rules, { ...saved, wait: saved.wait && { ...saved.wait, untilMs } }, nowMs)
    assert.strictEqual(statusWord(after), "starting")
  })

  it("starts the worker after a wait that is over, with its failures", () => {
    const { restarting = initial } = states
    const [after, actions] = resume(rules, savedStateOf(restarting, null), nowMs + 60_000)
    assert.strictEqual(statusWord(after), "starting")
    assert.strictEqual(after.failures, 3)
    assert.include(
      actions.map((action) => action._tag),
      "Spawn"
    )
  })

  it("keeps a hold until its time of day, and a backoff up to its maximum", () => {
    const wait = { untilMs: nowMs + 86_400_000, because: "x" }
    const until = (kind: "hold" | "backoff") =>
      savedStateOf(resume(rules, { ...emptyState, wait: { ...wait, kind } }, nowMs)[0], null).wait?.untilMs
    assert.strictEqual(until("hold"), nowMs + 86_400_000)
    assert.strictEqual(until("backoff"), nowMs + defaultPolicy.maxBackoffMs)
  })

  it("does not keep a hold for another worker", () => {
    const phase = Phase.Waiting({
      epoch: 5,
      untilMs: nowMs + 600_000,
      because: "the worker of shop is being stopped first",
      again: false,
      awaits: "worker"
    })
    const saved = savedStateOf({ ...initial, wanted: "up", phase }, null)
    assert.isNull(saved.wait)
    assert.strictEqual(statusWord(resume(rules, saved, nowMs)[0]), "starting")
  })

  it("keeps a finished worker finished after a start of the daemon", () => {
    const because = "its work is finished (exit code 0)"
    const finished = { ...initial, wanted: "down", phase: Phase.Stopped({ because }) } as const
    const saved = savedStateOf(finished, null)
    const [state, actions] = resume(rules, saved, nowMs)
    assert.deepStrictEqual([statusWord(state), reason(state)], ["stopped", because])
    assert.deepStrictEqual(actions, [
      { _tag: "Publish", event: { _tag: "StateKept", project: unnamed, what: `stopped: ${because}` } }
    ])
    assert.deepStrictEqual(savedStateOf(state, null), saved)
    assert.strictEqual(clearedParts(saved), `its stop (${because})`)
  })

  it("keeps the end of the last run, for status, also when a user starts the daemon", () => {
    const lastEnd = { verdict: "crash" as const, code: 3 }
    const saved = savedStateOf({ ...initial, lastEnd }, null)
    for (const kept of [saved, afresh(saved)]) {
      assert.deepStrictEqual(kept.lastEnd, lastEnd)
      assert.deepStrictEqual(resume(rules, kept, nowMs)[0].lastEnd, lastEnd)
    }
  })

  it("is cleared by a start by a user, which lists what it clears", () => {
    assert.isUndefined(clearedParts(emptyState))
    assert.strictEqual(clearedParts({ ...emptyState, failures: 1 }), "1 failure in a row")
    assert.strictEqual(
      clearedParts({
        ...emptyState,
        failures: 3,
        wanted: "down",
        wait: { kind: "backoff", untilMs: 1, because: "exit code 1" }
      }),
      "a wait (exit code 1), 3 failures in a row, its stop by a user"
    )
  })

  it("is read back from its file as it was saved", () => {
    const isFinite = (saved: SavedState) => {
      const numbers: Array<number> = []
      JSON.stringify(saved, (_, value) => {
        if (typeof value === "number") numbers.push(value)
        return value
      })
      return numbers.every(Number.isFinite)
    }
    const stored = Schema.parseJson(SavedState)
    FastCheck.assert(
      FastCheck.property(Arbitrary.make(SavedState).filter(isFinite), (saved) => {
        const text = JSON.stringify(saved)
        const read = Schema.decodeSync(stored)(text)
        assert.deepStrictEqual(JSON.parse(JSON.stringify(read)), JSON.parse(text))
        assert.deepStrictEqual(JSON.parse(Schema.encodeSync(stored)(read)), JSON.parse(text))
      }),
      { numRuns: 200 }
    )
  })
})
