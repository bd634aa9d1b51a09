import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { unnamed } from "../../../src/Domain/Project.ts"
import { startOf } from "../../../src/Domain/session/RunStart.ts"
import { resume, SavedState, savedStateOf } from "../../../src/Domain/worker/SavedState.ts"
import type { WorkerEvent, WorkerRules } from "../../../src/Domain/worker/WorkerEvent.ts"
import { initial, type WorkerState } from "../../../src/Domain/worker/WorkerState.ts"
import { step } from "../../../src/Domain/worker/WorkerStep.ts"
import type { Step } from "../../../src/Domain/worker/WorkerTransition.ts"
import { agentWith, claudePlan, resultAt } from "../../fixtures/AgentPlans.ts"
import { defaultPolicy } from "../../fixtures/policies.ts"
import { noEvidence } from "../../fixtures/RunEvidence.ts"
import { runs } from "../../fixtures/runs.ts"

type Happening =
  | { readonly _tag: "answer" | "correction"; readonly cents: number }
  | {
      readonly _tag: "report" | "kill" | "error" | "success" | "over budget" | "daemon killed"
    }
  | { readonly _tag: "start" | "restart" | "forget" | "wait" | "midnight" }

const happening: FastCheck.Arbitrary<Happening> = FastCheck.oneof(
  FastCheck.record({
    _tag: FastCheck.constantFrom<"answer" | "correction">("answer", "answer", "answer", "correction"),
    cents: FastCheck.integer({ min: 1, max: 200 })
  }),
  FastCheck.record({
    _tag: FastCheck.constantFrom<Exclude<Happening["_tag"], "answer" | "correction">>(
      ...(["report", "report", "kill", "error", "success", "over budget", "daemon killed"] as const),
      ...(["start", "restart", "forget", "wait", "wait", "wait", "midnight"] as const)
    )
  })
)

const budget = { workUsd: 10, projectDayUsd: 6, allDayUsd: 9 }

const rules = (policy: "on-failure" | "always"): WorkerRules => ({
  project: unnamed,
  restart: { ...defaultPolicy, policy },
  agent: { ...claudePlan, budget }
})

const print = ["-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"]

const stored = Schema.parseJson(SavedState)
const throughFile = (saved: SavedState): SavedState =>
  Schema.decodeSync(stored)(Schema.encodeSync(stored)(saved))

/** One project with its disk: its actor, an agent that spends, a user, and a machine that kills the daemon. */
const makeWorld = (by: WorkerRules) => {
  let state: WorkerState = initial
  let isUp = false
  let cents = 0
  let turns = 0
  let day = 0
  let timer: WorkerEvent | undefined
  /** What the runs of the work have spent, in cents: of those that are over, and what the current one has told. */
  let overCents = 0
  let toldCents = 0
  let isFinished = false
  let ids = 0

  const today = () => ({ date: `day ${day}`, othersUsd: day % 2 })
  const seen = () => agentWith({ usd: cents / 100, turns, sessionId: "s" })

  const check = () => {
    const { work } = state
    assert.approximately(work.usd, (overCents + toldCents) / 100, 1e-6, "the work's spending")
    assert.isAtLeast(work.turns, 0)
  }

  const spawn = (epoch: number): void => {
    const start = startOf(
      ["claude", ...print],
      by.agent && { plan: by.agent, today: today() },
      state.work,
      `run ${++ids}`
    )
    state = { ...state, work: start.work }
    if (isFinished) overCents = 0
    isFinished = false
    if (start._tag === "Refused") {
      check()
      feed({ _tag: "CannotStart", epoch, because: "refused", nowMs: 0, verdict: start.verdict })
      return
    }
    const leftCents = budget.workUsd * 100 - overCents
    assert.isAbove(leftCents, 0, "a run starts above the budget")
    const allowed = Number(start.argv[start.argv.indexOf("--max-budget-usd") + 1]) * 100
    assert.isAtMost(allowed, leftCents + 1)
    cents = 0
    turns = 0
    feed({ _tag: "Spawned", epoch, pid: 7 })
    isUp = true
  }

  const carryOut = ([next, actions]: Step): void => {
    state = next
    for (const action of actions) {
      if (action._tag === "Spawn") spawn(action.epoch)
      if (action._tag === "EndTree") end({ code: null, signal: "SIGTERM" })
      if (action._tag === "CancelTimer") timer = undefined
      if (action._tag === "Backoff" || action._tag === "WaitUntil")
        timer = { _tag: "Due", epoch: action.epoch }
    }
  }

  const feed = (event: WorkerEvent): void => carryOut(step(by, state, event))

  const tell = () => {
    toldCents = cents
    // A correction of what an agent had spent before another work began does not count there.
    overCents = Math.max(overCents, -toldCents)
  }

  const settleRun = () => {
    isUp = false
    overCents += toldCents
    toldCents = 0
  }

  /** The process exits, and all that it has printed is read. */
  const end = (exit: { code: number | null; signal: string | null }, agent = seen()): void => {
    if (!isUp) return
    const { epoch } = state
    tell()
    settleRun()
    if (agent.result?.isError === false && state.phase._tag === "Running") isFinished = true
    feed({ _tag: "Exited", epoch, exit, uptimeMs: 90_000 })
    feed({ _tag: "Down", epoch, seen: { ...noEvidence, agent }, today: today() })
  }

  const ifUp = (act: () => void) => () => (isUp ? act() : undefined)

  const acts: Readonly<Record<Exclude<Happening["_tag"], "answer" | "correction">, () => void>> = {
    report: ifUp(() => {
      tell()
      feed({ _tag: "Progress", epoch: state.epoch, seen: seen(), today: today(), nowMs: 0 })
    }),
    kill: ifUp(() => end({ code: null, signal: "SIGKILL" })),
    error: ifUp(() => end({ code: 1, signal: null }, { ...seen(), result: resultAt(0, { isError: true }) })),
    success: ifUp(() => end({ code: 0, signal: null }, { ...seen(), result: resultAt(0) })),
    "over budget": ifUp(() => {
      const result = resultAt(0, { isError: true, subtype: "error_max_budget_usd", costUsd: cents / 100 })
      end({ code: 1, signal: null }, { ...seen(), result })
    }),
    "daemon killed": () => {
      // Its worker dies with it, and what that has not told yet is lost.
      if (isUp) settleRun()
      carryOut(resume(by, throughFile(savedStateOf(state, null)), 0))
    },
    start: () => feed({ _tag: "Command", command: "start", ticket: 1 }),
    restart: () => feed({ _tag: "Command", command: "restart", ticket: 1 }),
    forget: () => {
      feed({ _tag: "Forget", ticket: 1 })
      isFinished = false
      // What the running agent has spent before belongs to the work before.
      overCents = -toldCents
      if (!isUp) overCents = 0
    },
    wait: () => {
      const due = timer
      timer = undefined
      if (due !== undefined) feed(due)
    },
    midnight: () => void day++
  }

  return (what: Happening): void => {
    if (what._tag === "answer" && isUp) {
      cents += what.cents
      turns++
    } else if (what._tag === "correction") cents = Math.max(0, cents - what.cents)
    else if (what._tag !== "answer") acts[what._tag]()
    check()
  }
}

describe("whatever happens to an agent and its daemon", () => {
  it("a work has spent what its runs have spent, and no run starts above its budget", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(happening, { maxLength: 60 }),
        FastCheck.constantFrom<"on-failure" | "always">("on-failure", "always"),
        (happenings, policy) => {
          const happen = makeWorld(rules(policy))
          happen({ _tag: "start" })
          for (const what of happenings) happen(what)
        }
      ),
      { numRuns: runs(300) }
    )
  })
})
