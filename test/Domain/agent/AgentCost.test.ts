import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { beforeNextRun } from "../../../src/Domain/agent/AgentSeen.ts"
import { spentOf } from "../../../src/Domain/agent/AgentSpent.ts"
import { nextAgent } from "../../../src/Domain/agent/AgentStream.ts"
import { agentAfter, recordedLines } from "../../fixtures/RecordedRuns.ts"

const spent = (lines: ReadonlyArray<string>) => spentOf(agentAfter(lines).cost)

/** The cost of the process, and what its tokens were. */
const recorded: ReadonlyArray<readonly [run: string, costUsd: number, input: number, output: number]> = [
  ["claude-2.1.197/success-tools", 0.01125, 3000, 150],
  ["claude-2.1.332/success-tools", 0.0075, 3000, 150],
  ["claude-2.1.332/output-json", 0.0025, 1000, 50],
  ["claude-2.1.197/background-bash-ends", 0.0075, 2000, 100],
  ["claude-2.1.332/background-bash-ends", 0.0075, 3000, 150],
  ["claude-2.1.332/background-bash-left", 0.005, 2000, 100],
  ["claude-2.1.332/schedule-wakeup", 0.0075, 3000, 150],
  ["claude-2.1.197/subagent", 0.13875, 31_000, 3050],
  ["claude-2.1.332/subagent", 0.095, 32_000, 3100],
  ["claude-2.1.332/compaction", 0.75, 330_000, 9000],
  ["claude-2.1.197/stream-input-interrupt", 0.0075, 2000, 100],
  ["claude-2.1.332/stream-input-interrupt", 0.005, 2000, 100],
  ["claude-2.1.332/stream-input", 0.09, 30_000, 3000],
  ["claude-2.1.332/stream-input-get-usage", 0.09, 30_000, 3000],
  ["claude-2.1.197/resume-0-first-run", 0.09, 20_000, 2000],
  ["claude-2.1.197/resume-1-resumed", 0.045, 10_000, 1000],
  ["claude-2.1.197/resume-2-continued", 0.045, 10_000, 1000],
  ["claude-2.1.197/resume-3-forked", 0.045, 10_000, 1000],
  ["claude-2.1.197/resume-4-budget", 0.09, 20_000, 2000],
  ["claude-2.1.332/resume-0-first-run", 0.06, 20_000, 2000],
  ["claude-2.1.332/resume-1-resumed", 0.03, 10_000, 1000],
  ["claude-2.1.332/resume-2-continued", 0.03, 10_000, 1000],
  ["claude-2.1.332/resume-3-forked", 0.03, 10_000, 1000],
  ["claude-2.1.332/resume-4-budget", 0.06, 20_000, 2000],
  ["claude-2.1.332/error-resume-unknown", 0, 0, 0],
  ["claude-2.1.197/kill9-1-resumed", 0.045, 10_000, 1000],
  ["claude-2.1.332/kill9-1-resumed", 0.03, 10_000, 1000],
  ["claude-2.1.197/sigterm-then-resumed", 0.045, 10_000, 1000],
  ["claude-2.1.332/sigterm-then-resumed", 0.03, 10_000, 1000],
  ["claude-2.1.197/sigint-mid-tool", 0.09, 20_000, 2000],
  ["claude-2.1.332/sigint-mid-tool", 0.06, 20_000, 2000],
  ["claude-2.1.197/error-sse-overloaded", 0.012795, 4000, 53],
  ["claude-2.1.332/stream-cut-mid-once", 0.00453, 2000, 53],
  ["claude-2.1.332/error-max-budget", 0.06, 20_000, 2000],
  ["claude-2.1.332/error-401-oauth", 0, 0, 0]
]

describe("the cost of a recorded run", () => {
  it.each(recorded)("is that of its process: %s costs $%s", (run, costUsd, input, output) => {
    assert.deepStrictEqual(spent(recordedLines(run)), {
      costUsd,
      isExact: true,
      tokens: { input, output, cacheRead: 0, cacheCreation: 0 },
      answersSince: 0
    })
  })

  it.each(["claude-2.1.197", "claude-2.1.332"])(
    "is unknown without any result, and its tokens are not: %s",
    (version) => {
      for (const run of ["kill9-0-first", "sigterm-mid-tool", "sighup-mid-tool"]) {
        const { answersSince, costUsd, isExact, tokens } = spent(recordedLines(`${version}/${run}`))
        assert.deepStrictEqual({ costUsd, isExact }, { costUsd: undefined, isExact: false }, run)
        assert.isAbove(answersSince, 0, run)
        assert.isAbove(tokens.input, 0, run)
      }
    }
  )
})

/** One process of Claude Code: the cents of its turns, and what the session had cost before it. */
interface Process {
  readonly isNew: boolean
  readonly session: string
  readonly before: number
  readonly turns: ReadonlyArray<number>
}

const usage = (cents: number) => ({
  model: {
    inputTokens: cents * 100,
    outputTokens: 0,
    cacheReadInputTokens: 0,
    cacheCreationInputTokens: 0,
    costUSD: cents / 100
  }
})

/** The lines of each turn: an answer, and the result. */
const linesOf = ({ before, isNew, session, turns }: Process) =>
  turns.map((cents, index) => {
    const answer = {
      type: "assistant",
      message: {
        id: `${session}-${index}`,
        model: "model",
        content: [],
        usage: { input_tokens: cents * 100, output_tokens: 1 }
      },
      session_id: session
    }
    const total = turns.slice(0, index + 1).reduce((sum, each) => sum + each, isNew ? before : 0)
    const result = {
      type: "result",
      subtype: "success",
      num_turns: 1,
      total_cost_usd: total / 100,
      modelUsage: usage(total),
      uuid: `${session}-result-${index}`,
      session_id: session,
      ...(isNew ? { result_index: index, model_usage_since_last_result: usage(cents) } : {})
    }
    return [answer, result].map((object) => JSON.stringify(object))
  })

const cents = FastCheck.integer({ min: 0, max: 500 })
const aProcess = FastCheck.record({
  isNew: FastCheck.boolean(),
  session: FastCheck.uuid(),
  before: cents,
  turns: FastCheck.array(cents, { minLength: 1, maxLength: 6 })
})
const places = FastCheck.array(FastCheck.nat(1000), { maxLength: 12 })

/** The lines, some of them printed a second time at a later place. */
const withRepeats = (lines: ReadonlyArray<string>, repeated: ReadonlyArray<number>) =>
  repeated.reduce((all, place) => {
    const from = place % all.length
    const to = from + 1 + (place % (all.length - from))
    return [...all.slice(0, to), all[from] ?? "", ...all.slice(to)]
  }, lines)

const settledCents = (lines: ReadonlyArray<string>) => agentAfter(lines).cost.settled.usd * 100

const truth = ({ turns }: Process) => turns.reduce((sum, each) => sum + each, 0)

describe("the cost of a run", () => {
  it("is never counted twice, whatever lines are lost or repeated", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(aProcess, { minLength: 1, maxLength: 4 }),
        places,
        places,
        (processes, lost, again) => {
          const all = processes.flatMap((process) => linesOf(process).flat())
          const kept = all.filter((_, at) => !lost.includes(at))
          if (kept.length === 0) return
          const most = processes.reduce((sum, process) => sum + truth(process), 0)
          assert.isAtMost(settledCents(withRepeats(kept, again)), most + 1e-6)
        }
      )
    )
  })

  it("is complete when the first and the last result of a process are seen, whatever else is lost or repeated", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(aProcess, { minLength: 1, maxLength: 4 }),
        places,
        places,
        (processes, lost, again) => {
          const kept = processes.flatMap((process) => {
            const turns = linesOf(process)
            const isMeant = (at: number) => at === 0 || at === turns.length - 1
            return turns.flatMap((lines, at) => (isMeant(at) || !lost.includes(at) ? lines : []))
          })
          const most = processes.reduce((sum, process) => sum + truth(process), 0)
          const { answersSince, costUsd, isExact } = spent(withRepeats(kept, again))
          assert.closeTo(costUsd ?? -1, most / 100, 1e-6)
          assert.deepStrictEqual({ answersSince, isExact }, { answersSince: 0, isExact: true })
        }
      )
    )
  })

  const turnsOf = (...turns: ReadonlyArray<number>) =>
    linesOf({ isNew: true, session: "a", before: 40, turns })

  it("of answers after the last result is estimated by what this run's own answers cost", () => {
    const [first = [], second = []] = turnsOf(10, 30)
    const { answersSince, costUsd, isExact } = spent([...first, ...second.slice(0, 1)])
    assert.closeTo(costUsd ?? -1, 0.4, 0.001)
    assert.deepStrictEqual({ answersSince, isExact }, { answersSince: 1, isExact: false })
  })

  it("is not known to be exact when the first result was lost, and lacks what came before the one that was seen", () => {
    const [, second = []] = turnsOf(10, 30)
    const { costUsd, isExact } = spent(second)
    assert.deepStrictEqual({ costUsd, isExact }, { costUsd: 0.3, isExact: false })
  })

  it("of a run that was killed before any result is estimated by the prices that the run before has told", () => {
    const earlier = beforeNextRun(agentAfter(turnsOf(10, 30).flat()))
    const [[answer = ""] = []] = linesOf({ isNew: true, session: "b", before: 0, turns: [25] })
    const { answersSince, costUsd, isExact } = spentOf(nextAgent(earlier, answer, 0).cost)
    assert.closeTo(costUsd ?? -1, 0.25, 0.001)
    assert.deepStrictEqual({ answersSince, isExact }, { answersSince: 1, isExact: false })
  })

  it("is unknown, and not zero, of an agent that knows no prices; its tokens are counted", () => {
    const [[answer = "", result = ""] = []] = turnsOf(10)
    const {
      modelUsage: _,
      model_usage_since_last_result: __,
      total_cost_usd: ___,
      ...rest
    } = JSON.parse(result)
    const usage = { input_tokens: 70, output_tokens: 5 }
    assert.deepStrictEqual(spent([answer, JSON.stringify({ ...rest, usage })]), {
      costUsd: undefined,
      isExact: false,
      tokens: { input: 70, output: 5, cacheRead: 0, cacheCreation: 0 },
      answersSince: 0
    })
  })

  it("counts a result that is too long to parse by its total", () => {
    const [first = [], second = []] = turnsOf(10, 30)
    const [answer = "", result = ""] = second
    const long = `${result.slice(0, -1)},"result":"${"x".repeat(2_000_000)}"}`
    assert.closeTo(spent([...first, answer, long]).costUsd ?? -1, 0.4, 1e-6)
    assert.closeTo(spent([...first, answer, long, long]).costUsd ?? -1, 0.4, 1e-6)
  })
})
