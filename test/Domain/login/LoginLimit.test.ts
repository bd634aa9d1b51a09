import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  type LimitAction,
  type LimitEvent,
  type LoginLimit,
  noLimit,
  stepLimit
} from "../../../src/Domain/login/LoginLimit.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { runs } from "../../fixtures/runs.ts"

const minuteMs = 60_000
const [shop, blog, api] = [ProjectName.make("shop"), ProjectName.make("blog"), ProjectName.make("api")]
const resetAtMs = 180 * minuteMs
/** A minute after the reset, which messages name without seconds. */
const endMs = resetAtMs + minuteMs

/** A login to which things happen. */
const login = (start: LoginLimit = noLimit) => {
  let state = start
  const happen = (event: LimitEvent): ReadonlyArray<LimitAction> => {
    const [next, actions] = stepLimit(state, event)
    state = next
    return actions
  }
  const report = (
    project: ProjectName,
    nowMs: number,
    more: Partial<Extract<LimitEvent, { _tag: "Reported" }>>
  ) =>
    happen({
      _tag: "Reported",
      project,
      nowMs,
      turns: 0,
      windows: [],
      waitsUntilMs: undefined,
      mayStop: true,
      holdAt: false,
      ...more
    })
  return {
    state: () => state,
    report,
    /** What a start gets: it goes, or what it waits for. */
    ask: (project: ProjectName, nowMs: number, byUser = false, holdAt: number | false = false) => {
      const actions = happen({ _tag: "Ask", project, nowMs, byUser, holdAt })
      const wait = actions.find((action) => action._tag === "Wait")
      return wait === undefined ? "Go" : wait.wait
    },
    limited: (project: ProjectName, nowMs: number, resets: number | "unknown" = resetAtMs) =>
      happen({
        _tag: "Limited",
        project,
        nowMs,
        resetAtMs: resets === "unknown" ? undefined : resets
      }),
    ended: (project: ProjectName, nowMs: number, turns = 0) =>
      happen({ _tag: "Ended", project, nowMs, turns })
  }
}

const tags = (actions: ReadonlyArray<LimitAction>) =>
  actions.map((action) => (action._tag === "Publish" ? action.event._tag : action._tag))

const limitOf = (by: ProjectName, untilMs: number) => ({ _tag: "Limit", by, untilMs }) as const

describe("the usage limit of a login", () => {
  it("lets all start until a project meets it, and then nobody until its time is over", () => {
    const { ask, limited } = login()
    for (const project of [shop, blog, api]) assert.strictEqual(ask(project, 0), "Go")
    assert.deepStrictEqual(tags(limited(shop, 1)), ["Wake"])
    for (const project of [shop, blog, api])
      assert.deepStrictEqual(ask(project, endMs - 1), limitOf(shop, endMs))
  })

  it("is tried by one when its time is over; the rest follow on its first answer", () => {
    const { ask, limited, report } = login()
    limited(shop, 0)
    ask(blog, 1)
    assert.strictEqual(ask(api, endMs), "Go")
    assert.deepInclude(ask(shop, endMs + 1), { _tag: "Probe", by: api })
    assert.deepInclude(ask(blog, endMs + 1), { _tag: "Probe", by: api })
    assert.deepStrictEqual(report(api, endMs + 2, { turns: 0 }), [])
    assert.deepStrictEqual(tags(report(api, endMs + 3, { turns: 1 })), ["LimitOver", "Wake"])
    assert.strictEqual(ask(blog, endMs + 4), "Go")
    assert.strictEqual(ask(shop, endMs + 4), "Go")
  })

  it("is met again by the one that tries: all wait again, and longer where no time is known", () => {
    const { ask, limited } = login()
    let nowMs = 0
    const waits = [shop, blog, shop, blog, shop, blog].map((project) => {
      assert.strictEqual(ask(project, nowMs), "Go")
      limited(project, nowMs, "unknown")
      const wait = ask(api, nowMs)
      const waitMs = wait === "Go" ? 0 : wait.untilMs - nowMs
      nowMs += waitMs
      return waitMs / minuteMs
    })
    assert.deepStrictEqual(waits, [5, 10, 20, 40, 60, 60])
  })

  it("that several running workers meet at once is one limit", () => {
    const { ask, limited, state } = login()
    limited(shop, 0)
    limited(blog, 1, resetAtMs + minuteMs)
    assert.strictEqual(state().met?.inARow, 1)
    assert.deepStrictEqual(ask(api, 2), limitOf(shop, endMs + minuteMs))
  })

  it("is not over for an answer of a worker that ran before", () => {
    const { ask, ended, limited, report } = login()
    limited(shop, 0)
    assert.deepStrictEqual(report(blog, 1, { turns: 100 }), [])
    assert.deepStrictEqual(ended(blog, 2, 100), [])
    assert.deepStrictEqual(ask(api, 3), limitOf(shop, endMs))
  })

  it("lets a user's start go on at any time: its first answer frees the others", () => {
    const { ask, ended, limited } = login()
    limited(shop, 0)
    ask(blog, 1)
    assert.strictEqual(ask(api, 2, true), "Go")
    assert.deepStrictEqual(ask(blog, 3), limitOf(shop, endMs))
    assert.deepStrictEqual(tags(ended(api, 4, 1)), ["LimitOver", "Wake"])
    assert.strictEqual(ask(blog, 5), "Go")
  })

  it("is tried by the next one when the first has ended without an answer, or tells nothing for ten minutes", () => {
    const { ask, ended, limited } = login()
    limited(shop, 0)
    assert.strictEqual(ask(shop, endMs), "Go")
    assert.deepStrictEqual(tags(ended(shop, endMs + 1)), ["Wake"])
    assert.strictEqual(ask(blog, endMs + 2), "Go")
    assert.deepInclude(ask(shop, endMs + 3), { _tag: "Probe", by: blog, untilMs: endMs + 2 + 10 * minuteMs })
    assert.strictEqual(ask(shop, endMs + 2 + 10 * minuteMs), "Go")
  })

  it("is forgotten an hour after its time: all start together", () => {
    const { ask, limited } = login()
    limited(shop, 0)
    for (const project of [shop, blog]) assert.strictEqual(ask(project, endMs + 61 * minuteMs), "Go")
  })

  it("of an agent that waits inside its process holds the others, and is over with its next answer", () => {
    const { ask, report } = login()
    const waits = { turns: 7, waitsUntilMs: resetAtMs }
    assert.deepStrictEqual(tags(report(shop, 0, waits)), ["Wake"])
    assert.deepStrictEqual(report(shop, 30_000, waits), [], "told once")
    assert.deepStrictEqual(ask(blog, 1), limitOf(shop, endMs))
    assert.deepInclude(ask(blog, endMs), { _tag: "Probe", by: shop })
    assert.deepStrictEqual(tags(report(shop, endMs + 1, { turns: 8 })), ["LimitOver", "Wake"])
    assert.strictEqual(ask(blog, endMs + 2), "Go")
  })
})

describe("a share of a window at which a project holds", () => {
  const windows = [
    { name: "five_hour", used: 0.92, resetsAtMs: resetAtMs, atMs: 1 },
    { name: "seven_day", used: 0.3, resetsAtMs: 9 * resetAtMs, atMs: 1 }
  ]
  const wait = { _tag: "Window", name: "five_hour", used: 0.92, holdAt: 0.9, untilMs: endMs } as const

  it("stops its worker until the reset, between two steps of its work", () => {
    const { ask, report } = login()
    assert.deepStrictEqual(report(shop, 2, { holdAt: 0.9, windows, mayStop: false }), [])
    assert.deepStrictEqual(report(shop, 3, { holdAt: 0.9, windows }), [{ _tag: "Stop", wait }])
    assert.deepStrictEqual(ask(shop, 4, false, 0.9), wait)
    assert.strictEqual(ask(shop, resetAtMs, false, 0.9), "Go")
  })

  it("stops the agent with the very answer that ends a limit: it may tell nothing more", () => {
    const { ask, limited, report } = login()
    limited(shop, 1)
    ask(shop, 2, true)
    assert.deepStrictEqual(tags(report(shop, 3, { holdAt: 0.9, windows, turns: 1 })), ["Wake", "Stop"])
  })

  it("holds the starts of other projects of the login with this setting, and of no others", () => {
    const { ask, report } = login()
    report(shop, 2, { windows })
    assert.deepStrictEqual(ask(blog, 3, false, 0.9), wait)
    assert.strictEqual(ask(blog, 3, false, 0.93), "Go")
    assert.strictEqual(ask(blog, 3), "Go")
  })

  it("does not hold a project that a user has started beyond it, until that window has reset", () => {
    const { ask, report } = login()
    report(shop, 2, { holdAt: 0.9, windows })
    assert.strictEqual(ask(shop, 3, true, 0.9), "Go")
    assert.deepStrictEqual(report(shop, 4, { holdAt: 0.9, windows }), [])
    const next = [{ name: "five_hour", used: 0.95, resetsAtMs: 2 * resetAtMs, atMs: endMs + 1 }]
    assert.deepStrictEqual(tags(report(shop, endMs + 2, { holdAt: 0.9, windows: next })), ["Stop"])
  })

  it("is that of the last report", () => {
    const { ask, report } = login()
    report(shop, 2, { windows })
    report(blog, 3, { windows: [{ name: "five_hour", used: 0.1, resetsAtMs: resetAtMs, atMs: 3 }] })
    report(shop, 4, { windows })
    assert.strictEqual(ask(blog, 5, false, 0.9), "Go")
  })
})

describe("for any sequence of events", () => {
  const project = FastCheck.constantFrom(shop, blog, api)
  const happening = FastCheck.record({
    what: FastCheck.constantFrom<"ask" | "user" | "limited" | "answer" | "end">(
      "ask",
      "ask",
      "user",
      "limited",
      "answer",
      "end"
    ),
    project,
    passesMs: FastCheck.constantFrom(0, 1000, 5 * minuteMs, 30 * minuteMs),
    isKnown: FastCheck.boolean()
  })

  it("no start waits for ever, and before the time of a limit nobody but a user starts", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(happening, { maxLength: 60 }), (all) => {
        const { ask, ended, limited, report, state } = login()
        let nowMs = 0
        for (const { isKnown, passesMs, project, what } of all) {
          nowMs += passesMs
          const before = state().met
          if (what === "user") assert.strictEqual(ask(project, nowMs, true), "Go")
          else if (what === "limited") limited(project, nowMs, isKnown ? nowMs + 10 * minuteMs : "unknown")
          else if (what === "answer") report(project, nowMs, { turns: 1 })
          else if (what === "end") ended(project, nowMs)
          else {
            const wait = ask(project, nowMs)
            if (before !== undefined && nowMs < before.untilMs) assert.notStrictEqual(wait, "Go")
            if (wait !== "Go") {
              assert.isAbove(wait.untilMs, nowMs)
              assert.isAtMost(wait.untilMs, nowMs + 70 * minuteMs)
            }
          }
        }
        // Whatever has happened: in the end somebody starts, and its answer frees all.
        nowMs += 71 * minuteMs
        assert.strictEqual(ask(shop, nowMs), "Go")
        report(shop, nowMs, { turns: 1 })
        for (const other of [blog, api]) assert.strictEqual(ask(other, nowMs), "Go")
      }),
      { numRuns: runs(300) }
    )
  })
})
