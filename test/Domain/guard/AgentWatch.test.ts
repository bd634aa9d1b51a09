import { assert, describe, it } from "@effect/vitest"
import { noAgent } from "../../../src/Domain/agent/AgentSeen.ts"
import { nextAgent } from "../../../src/Domain/agent/AgentStream.ts"
import { describeAgent } from "../../../src/Domain/guard/AgentEvent.ts"
import { beginWatch, noProgressReason, watchAgent } from "../../../src/Domain/guard/AgentWatch.ts"
import { unnamed } from "../../../src/Domain/Project.ts"
import { answer, calls, denied, init, result, retry, says, toolResult } from "../../fixtures/AgentLines.ts"
import { agentAfter, recordedLines } from "../../fixtures/RecordedRuns.ts"

const startMs = 1_795_900_000_000

/** What is told when the agent is looked at after each line, `everyMs` apart, and `more` times at the end. */
const told = (lines: ReadonlyArray<string>, everyMs = 1000, more = 30) => {
  let [agent, watch] = [noAgent, beginWatch]
  const texts: Array<string> = []
  for (const [at, line] of [...lines, ...Array.from({ length: more }, () => "")].entries()) {
    const nowMs = startMs + at * everyMs
    agent = nextAgent(agent, line, nowMs)
    const [next, events] = watchAgent(watch, unnamed, agent, nowMs)
    watch = next
    texts.push(...events.map((event) => describeAgent(event).text))
  }
  return texts
}

describe("the watch of an agent", () => {
  it("tells nothing of an agent that works", () => {
    for (const run of ["success-tools", "subagent", "compaction", "resume-1-resumed"]) {
      assert.deepStrictEqual(told(recordedLines(`claude-2.1.332/${run}`)), [], run)
    }
  })

  it("tells once that a person is needed, also when the denials go on", () => {
    const lines = [init, ...Array.from({ length: 9 }, (_, at) => denied(`t${at}`)).flat()]
    assert.deepStrictEqual(told(lines), [
      "The agent is blocked on a person: it was denied Write 3 times in a row: nobody is there to allow it"
    ])
  })

  it("tells once that it makes no progress", () => {
    const poll = (at: number) => [answer(`msg_${at}`, calls(`t${at}`)), toolResult(`t${at}`, "pending")]
    assert.deepStrictEqual(told([init, ...Array.from({ length: 30 }, (_, at) => poll(at)).flat()]), [
      'The agent seems to make no progress: it has called Bash "npm test" 10 times with the same result'
    ])
  })

  it("stops one without progress only while it works: a finished one may be about to exit", () => {
    const same = Array.from({ length: 5 }, (_, at) => [
      answer(`msg_${at}`, says("Still waiting.")),
      result({ uuid: `${at}` })
    ]).flat()
    assert.isUndefined(noProgressReason(agentAfter([init, ...same])))
    assert.match(
      noProgressReason(agentAfter([init, ...same, init])) ?? "",
      /has given the same answer 5 times: "Still waiting."/
    )
    assert.isUndefined(noProgressReason(agentAfter([init, ...same.slice(2), init])))
  })

  it("tells once that it waits for the API, with its attempt, and that it goes on", () => {
    const waiting = Array.from({ length: 9 }, (_, at) => retry(at + 1, 529, "overloaded"))
    assert.deepStrictEqual(told([init, ...waiting, answer("msg_1", says("a")), result({})], 20_000), [
      "The agent waits for the API, which answers with status 529: attempt 4, for another 0.5 seconds",
      "The agent goes on after a wait of 3 minutes"
    ])
  })

  it("tells once that it waits inside of its process for its usage limit, and until when", () => {
    const lines = recordedLines("claude-2.1.332/retry-watchdog-usage-limit")
    const resetMs = Number(/"resetsAt":(\d+)/.exec(lines.join())?.[1]) * 1000
    const later = lines.map((line) => line.replaceAll(String(resetMs / 1000), String(startMs / 1000 + 3600)))
    const texts = told(later)
    assert.match(texts[0] ?? "", /^The agent waits for the end of its usage limit, for another 59 min/)
    assert.match(texts.at(-1) ?? "", /^The agent goes on after a wait of /)
    assert.strictEqual(texts.length, 2)
  })

  it("tells once that it has finished and waits for a task, and not for one that ends at once", () => {
    const left = recordedLines("claude-2.1.332/background-bash-left")
    assert.deepStrictEqual(told(left), ['The agent has finished, and waits for "work"'])
    assert.deepStrictEqual(told(left, 1000, 5), [])
    assert.deepStrictEqual(told(recordedLines("claude-2.1.332/background-bash-ends")), [])
  })

  it("tells that its last word is a question", () => {
    assert.deepStrictEqual(told([init, answer("msg_1", says("Shall I?")), result({})]), [
      'The agent is blocked on a person: it has finished with a question: "Shall I?"'
    ])
  })
})
