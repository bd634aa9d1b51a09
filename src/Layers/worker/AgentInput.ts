import type { Writable } from "node:stream"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { requestPrefix } from "../../Domain/agent/AgentLine.ts"
import type { AgentSeen } from "../../Domain/agent/AgentSeen.ts"
import type { AgentPlan } from "../../Domain/session/AgentPlan.ts"
import { readTextFile } from "../files/TextFile.ts"
import { CannotStart } from "../tree/Executable.ts"

/** The text of a prompt. A file that others may write would say what the agent does as this user. */
export const promptText = Effect.fnUntraced(function* (prompt: AgentPlan["prompt"], asker: string) {
  if (prompt === undefined) return undefined
  if ("text" in prompt) return prompt.text
  const unusable = ({ reason }: { readonly reason: string }) =>
    new CannotStart({ reason: `its prompt cannot be read: ${prompt.file} ${reason}` })
  const { distrust, text } = yield* Effect.mapError(readTextFile(prompt.file, "text", asker), unusable)
  if (distrust !== undefined) return yield* unusable({ reason: distrust })
  if (text.trim() === "") return yield* unusable({ reason: "is empty" })
  return text
})

const line = (message: object): string => `${JSON.stringify(message)}\n`

const ask = (id: number): string =>
  line({ type: "control_request", request_id: `${requestPrefix}${id}`, request: { subtype: "get_usage" } })

/** A check costs a function call; the end of the input is what lets the agent exit. */
const checkInterval = "1 second"

/** Checks between two questions about the cost: after a new answer, and without one, for subagents may have spent. */
const askEvery = { answer: 5, silence: 20 }

/**
 * Gives an agent its prompt on standard input, asks now and then what it has spent, and ends the input after its result.
 * The first question comes before the prompt: the answer is what earlier processes of the session have spent.
 */
export const feedAgent = Effect.fnUntraced(function* (
  stdin: Writable,
  prompt: string,
  agent: () => AgentSeen
) {
  // An agent that has exited reads no more.
  stdin.on("error", () => stdin.destroy())
  stdin.write(ask(0))
  stdin.write(line({ type: "user", message: { role: "user", content: prompt } }))
  let checks = 0
  let asked = { at: 0, turns: 0 }
  yield* Effect.sync(() => {
    checks++
    const { result, turns } = agent()
    const isOver = result !== undefined || stdin.destroyed
    const every = turns > asked.turns ? askEvery.answer : askEvery.silence
    if (isOver) stdin.end()
    else if (checks - asked.at >= every && stdin.writableLength === 0) {
      asked = { at: checks, turns }
      stdin.write(ask(checks))
    }
    return isOver
  }).pipe(Effect.repeat({ until: (isOver) => isOver, schedule: Schedule.spaced(checkInterval) }))
})
