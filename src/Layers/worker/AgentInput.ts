import type { Writable } from "node:stream"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { requestPrefix } from "../../Domain/agent/AgentLine.ts"
import type { AgentSeen } from "../../Domain/agent/AgentSeen.ts"
import type { AgentPlan } from "../../Domain/session/AgentPlan.ts"
import { type Listen, latchOf } from "../concurrency/Listeners.ts"
import { inPlainCode } from "../concurrency/PlainCode.ts"
import { CannotStart } from "../tree/Executable.ts"
import { promptAt } from "./PromptFile.ts"

/** The text of a prompt. */
export const promptText = Effect.fnUntraced(function* (prompt: AgentPlan["prompt"], asker: string) {
  if (prompt === undefined) return undefined
  if ("text" in prompt) return prompt.text
  const { file } = prompt
  return yield* Effect.mapError(
    inPlainCode((timer) => promptAt(timer, file, asker)),
    ({ message }) => new CannotStart({ reason: message })
  )
})

const line = (message: object): string => `${JSON.stringify(message)}\n`

const ask = (id: number): string =>
  line({ type: "control_request", request_id: `${requestPrefix}${id}`, request: { subtype: "get_usage" } })

/** The cost of an answer is known shortly after its last line. */
const settleMs = 1000

/** The time between two questions about the cost: after a new answer, and after another action, such as a subagent's. */
const askEveryMs = { answer: 5000, action: 20_000 }

/** The last question, and what the agent had told by then. */
interface Asked {
  readonly atMs: number
  readonly turns: number
  readonly actions: number
  /** When it was first seen to have done more since. */
  readonly moreMs: number | undefined
}

const monotonicMs = Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos) / 1e6)

/** When to ask again: once the agent rests for a moment, and not too often. */
const askAtMs = (asked: Asked, { turns }: AgentSeen, nowMs: number): number | undefined => {
  if (asked.moreMs === undefined) return undefined
  const every = turns > asked.turns ? askEveryMs.answer : askEveryMs.action
  return Math.max(asked.atMs + every, Math.min(nowMs + settleMs, asked.moreMs + every))
}

/**
 * Gives an agent its prompt on standard input, asks what it has spent after it has done more, and ends the input after its
 * result. The first question comes before the prompt: the answer is what earlier processes of the session have spent.
 */
export const feedAgent = Effect.fnUntraced(function* (
  stdin: Writable,
  prompt: string,
  { agent, onAgent }: { readonly agent: () => AgentSeen; readonly onAgent: Listen<[]> }
) {
  const isChanged = yield* latchOf(onAgent)
  // An agent that has exited reads no more.
  stdin.on("error", () => {
    stdin.destroy()
    isChanged.unsafeOpen()
  })
  stdin.write(ask(0))
  stdin.write(line({ type: "user", message: { role: "user", content: prompt } }))
  let asked: Asked = { atMs: yield* monotonicMs, turns: 0, actions: 0, moreMs: undefined }
  for (let questions = 1; agent().result === undefined && !stdin.destroyed; ) {
    yield* isChanged.close
    const nowMs = yield* monotonicMs
    const { pace, turns } = agent()
    const actions = pace?.actions ?? 0
    const hasDone = turns > asked.turns || actions > asked.actions
    asked = { ...asked, moreMs: hasDone ? (asked.moreMs ?? nowMs) : undefined }
    const atMs = askAtMs(asked, agent(), nowMs)
    // Without an answer to the last question, the next one waits for what the agent prints.
    if (atMs === undefined || stdin.writableLength > 0) yield* isChanged.await
    else if ((yield* Effect.timeoutOption(isChanged.await, atMs - nowMs))._tag === "None") {
      asked = { atMs: yield* monotonicMs, turns, actions, moreMs: undefined }
      stdin.write(ask(questions++))
    }
  }
  stdin.end()
}, Effect.scoped)
