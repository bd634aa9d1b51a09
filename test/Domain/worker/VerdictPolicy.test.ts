import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { VerdictSettings } from "../../../src/Domain/settings/RestartSettings.ts"
import { isOfOneModel, overloadedWaitMs, waitMs } from "../../../src/Domain/verdict/CauseWait.ts"
import type { Verdict, VerdictKind } from "../../../src/Domain/verdict/ExitVerdict.ts"
import { followUp } from "../../../src/Domain/worker/VerdictPolicy.ts"

const nowMs = Date.parse("2026-11-22T20:00:00Z")
const minuteMs = 60_000
const byDefault = Schema.decodeSync(VerdictSettings)({})

const says = "it said so"
const one: { readonly [K in VerdictKind]: Extract<Verdict, { kind: K }> } = {
  done: { kind: "done" },
  crash: { kind: "crash", exit: { code: 3, signal: null }, tail: ["boom"] },
  "native-crash": { kind: "native-crash", signal: "SIGSEGV" },
  "out-of-memory": { kind: "out-of-memory", by: "heap", says },
  "usage-limit": { kind: "usage-limit", says },
  overloaded: { kind: "overloaded", says, status: 529 },
  auth: { kind: "auth", says },
  "bad-arguments": { kind: "bad-arguments", says },
  "context-full": { kind: "context-full", says: "Prompt is too long" },
  "max-turns": { kind: "max-turns", turns: 20 },
  budget: { kind: "budget", costUsd: 300 },
  stalled: { kind: "stalled", quietMs: 1, limitMs: 1 },
  "killed-by-us": { kind: "killed-by-us", reason: "a person stopped it" },
  "killed-by-other": { kind: "killed-by-other", signal: "SIGKILL" },
  "not-started": { kind: "not-started", reason: "no such file" }
}
const kinds = Object.values(one)

const on = (set: Partial<VerdictSettings> = {}, policy: "on-failure" | "always" = "on-failure") => ({
  policy,
  on: { ...byDefault, ...set }
})
const first = { nowMs, inARow: 1, sinceMs: nowMs }
const tagOf = (kind: VerdictKind, rules = on()) => followUp(one[kind], rules, first)._tag

describe("the reaction to a worker's exit", () => {
  it("is by default the one that does the least harm", () => {
    const tags = Object.fromEntries(kinds.map(({ kind }) => [kind, tagOf(kind)]))
    assert.deepStrictEqual(tags, {
      done: "Stop",
      crash: "Restart",
      "native-crash": "Restart",
      "out-of-memory": "Restart",
      "usage-limit": "Wait",
      overloaded: "Wait",
      auth: "Stop",
      "bad-arguments": "Stop",
      "context-full": "Stop",
      "max-turns": "Stop",
      budget: "Stop",
      stalled: "Restart",
      "killed-by-us": "Stop",
      "killed-by-other": "Restart",
      "not-started": "Restart"
    })
  })

  it("is what restart.on says, for each verdict by its own key", () => {
    for (const action of ["restart", "wait", "stop"] as const) {
      const rules = on(Object.fromEntries(Object.keys(byDefault).map((key) => [key, action])))
      const expected = { restart: "Restart", wait: "Wait", stop: "Stop" }[action]
      for (const { kind } of kinds) {
        if (kind !== "done" && kind !== "killed-by-us") assert.strictEqual(tagOf(kind, rules), expected, kind)
      }
    }
    assert.strictEqual(tagOf("auth", on({ auth: "restart" })), "Restart")
    assert.strictEqual(tagOf("crash", on({ auth: "wait", crash: "stop" })), "Stop")
  })

  it("to a clean exit is what restart.policy says", () => {
    assert.strictEqual(tagOf("done", on({}, "always")), "Restart")
    assert.strictEqual(tagOf("done"), "Stop")
  })

  it("says with a stop what to do", () => {
    const stopped = followUp(one.auth, on(), first)
    assert.deepInclude(stopped, {
      because:
        "not logged in: it said so. Log in as the user of the daemon, or put a valid key into the env file, then run: autopilotd start-worker"
    })
  })
})

describe("a wait", () => {
  const limited = (resetAtMs: number): Verdict => ({ ...one["usage-limit"], resetAtMs })

  it("lasts until a minute after the reset, because agents report it without seconds", () => {
    assert.deepStrictEqual(followUp(limited(nowMs + 90 * minuteMs), on(), first), {
      _tag: "Wait",
      untilMs: nowMs + 91 * minuteMs,
      because: "reached its usage limit: it said so"
    })
  })

  it("without a known time is reported as a guess, and grows with each equal exit", () => {
    const next = followUp(one["usage-limit"], on(), { ...first, inARow: 3 })
    assert.deepInclude(next, {
      untilMs: nowMs + 20 * minuteMs,
      because: "reached its usage limit: it said so; the daemon tries again after 20 minutes"
    })
    const minutes = [1, 2, 3, 4, 5, 6, 7, 4000].map((row) => waitMs(row) / minuteMs)
    assert.deepStrictEqual(minutes, [5, 10, 20, 40, 60, 60, 60, 60])
  })

  it("for an overloaded API grows by the time since the last success, not by the number of runs", () => {
    for (const inARow of [1, 100]) {
      const next = followUp(one.overloaded, on(), { nowMs, inARow, sinceMs: nowMs - 4 * minuteMs })
      assert.deepInclude(next, {
        untilMs: nowMs + 4 * minuteMs,
        because:
          "the API is unavailable (HTTP status 529): it said so; the daemon tries again after 4 minutes"
      })
    }
    const minutes = [-5, 0, 0.5, 2, 9, 29, 31, 3000].map(
      (since) => overloadedWaitMs(since * minuteMs) / minuteMs
    )
    assert.deepStrictEqual(minutes, [1, 1, 1, 2, 9, 29, 30, 30])
  })

  it("grows also when each new session reaches the limit shortly before its reset", () => {
    const untilMs = (inARow: number) => {
      const next = followUp(limited(nowMs + 1000), on(), { ...first, inARow })
      return next._tag === "Wait" ? (next.untilMs - nowMs) / 1000 : undefined
    }
    assert.deepStrictEqual([1, 2, 3, 9].map(untilMs), [61, 300, 600, 3600])
  })

  it("for the limit of one model is told from that of the account", () => {
    const ofModel = ["You've hit your Opus limit · resets 3am", "the seven_day_opus limit is reached"]
    const ofAccount = ["You've hit your weekly limit · resets 3am", "the five_hour limit is reached"]
    assert.deepStrictEqual([...ofModel, ...ofAccount].map(isOfOneModel), [true, true, false, false])
  })

  it("always ends, later than now", () => {
    const verdict = FastCheck.constantFrom(...kinds, limited(nowMs - 1), limited(nowMs + 1), limited(0))
    const rules = on(Object.fromEntries(Object.keys(byDefault).map((key) => [key, "wait"])))
    FastCheck.assert(
      FastCheck.property(verdict, FastCheck.integer(), (found, inARow) => {
        const next = followUp(found, rules, { ...first, inARow })
        if (next._tag !== "Wait") return
        assert.isAtLeast(next.untilMs, nowMs)
        assert.isAtMost(next.untilMs, nowMs + 61 * minuteMs)
      })
    )
  })
})
