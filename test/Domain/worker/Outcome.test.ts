import { assert, describe, it } from "@effect/vitest"
import type { ProjectName } from "../../../src/Domain/Project.ts"
import type { VerdictKind } from "../../../src/Domain/verdict/ExitVerdict.ts"
import {
  allEnded,
  hasFailed,
  type Judged,
  outcomeOf,
  worseFirst
} from "../../../src/Domain/worker/Outcome.ts"
import { initial, Phase, type WorkerState } from "../../../src/Domain/worker/WorkerState.ts"
import { defaultPolicy } from "../../fixtures/policies.ts"

const worker = (state: Partial<WorkerState>, plan: Partial<Judged["plan"]> = {}, name = "shop"): Judged => ({
  plan: { project: name as ProjectName, restart: defaultPolicy, ...plan },
  state: { ...initial, wanted: "up", ...state }
})

const failedBy = (verdict?: VerdictKind, name?: string) =>
  worker(
    {
      phase: Phase.Failed({ epoch: 1, because: "it cannot go on" }),
      ...(verdict && { lastEnd: { verdict } })
    },
    {},
    name
  )
const stopped = Phase.Stopped({ because: "stopped by command" })
const finished = worker(
  { phase: Phase.Stopped({ because: "done", isFinished: true }), wanted: "down" },
  {},
  "docs"
)
const byUser = worker({ phase: stopped, wanted: "down" }, {}, "blog")
const aside = worker({ phase: stopped, wanted: "auto" }, {}, "aside")
const running = worker({ phase: Phase.Running({ epoch: 1, pid: 7 }) })
const remains = [{ pid: 9, startTicks: 1, owner: undefined }]

describe("the outcome of a worker", () => {
  const cases: ReadonlyArray<readonly [what: string, worker: Judged, outcome: ReturnType<typeof outcomeOf>]> =
    [
      ["finished work", finished, "finished"],
      ["stopped by a user", byUser, "stopped"],
      ["failed after crashes", failedBy("crash"), "failed"],
      ["failed before any exit", failedBy(), "failed"],
      ["out of budget", failedBy("budget"), "failed"],
      ["at a usage limit that is not waited for", failedBy("usage-limit"), "limited"],
      ["at an API that is down and not waited for", failedBy("overloaded"), "limited"],
      ["without a login", failedBy("auth"), "login-needed"],
      ["with arguments that the agent refuses", failedBy("bad-arguments"), "misconfigured"],
      ["with a program that does not exist", failedBy("not-started"), "misconfigured"],
      [
        "with settings that allow no start",
        worker({ phase: Phase.Failed({ epoch: 1, because: "no worker" }) }, { refusal: "no worker" }),
        "misconfigured"
      ],
      [
        "that the daemon will start again by itself",
        worker(
          { phase: Phase.Failed({ epoch: 1, because: "crash" }) },
          { restart: { ...defaultPolicy, recoveryCooldownMs: 1000 } }
        ),
        undefined
      ],
      ["that runs", running, undefined],
      [
        "in a backoff",
        worker({ phase: Phase.Restarting({ epoch: 1, dueMs: 1, because: "crash" }) }),
        undefined
      ],
      [
        "that waits for a usage limit to be lifted",
        worker({
          phase: Phase.Waiting({ epoch: 1, untilMs: 1, because: "limit", again: true, awaits: "login" })
        }),
        undefined
      ],
      [
        "with a process that cannot be killed",
        worker({
          phase: Phase.Starting({ epoch: 1, again: false, remains })
        }),
        undefined
      ],
      ["of a project that is being removed", worker({ phase: stopped, leaving: "removed" }), undefined]
    ]
  for (const [what, judged, outcome] of cases) {
    it(`${what}: ${outcome ?? "its work goes on"}`, () => assert.strictEqual(outcomeOf(judged), outcome))
  }
})

describe("the end of all work", () => {
  it("does not come while one worker goes on", () => {
    assert.isUndefined(allEnded([finished, failedBy("auth"), running]))
  })

  it("is a success when all work is finished; a project that nobody has started takes no part", () => {
    assert.deepStrictEqual(allEnded([finished, aside]), {
      outcome: "finished",
      because: "all work is finished"
    })
  })

  it("has the worst outcome: settings, login, failure, stop, limit, in this order", () => {
    const worst = [
      failedBy("bad-arguments", "f"),
      failedBy("auth", "e"),
      failedBy("crash", "d"),
      byUser,
      failedBy("usage-limit", "b"),
      finished
    ]
    const found = worst.map((_, at) => allEnded(worst.slice(at))?.outcome)
    assert.deepStrictEqual(found, [
      "misconfigured",
      "login-needed",
      "failed",
      "stopped",
      "limited",
      "finished"
    ])
    assert.deepStrictEqual([running, ...worst].toReversed().toSorted(worseFirst), [...worst, running])
  })

  it("names the projects of the worst outcome", () => {
    assert.strictEqual(
      allEnded([failedBy("auth", "shop"), finished, failedBy("auth", "site"), failedBy("crash", "docs")])
        ?.because,
      "all workers have ended; a login is needed by shop, site"
    )
  })

  it("comes at once, as a mistake of the settings, where no worker starts at all", () => {
    assert.deepStrictEqual(allEnded([aside]), {
      outcome: "misconfigured",
      because: "no worker starts: autostart is off, and no user has started one"
    })
  })
})

describe("a failure", () => {
  it("is one of a row that goes on, or for good; a finished or stopped worker has none", () => {
    assert.deepStrictEqual(
      [running, finished, byUser, failedBy("auth"), worker({ ...running.state, failures: 1 })].map(hasFailed),
      [false, false, false, true, true]
    )
  })
})
