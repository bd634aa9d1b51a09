import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { budgetText } from "../../Domain/session/BudgetText.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { Refused } from "../Refused.ts"

/** `autopilotd budget show`: what the agents of all projects have used. */
export const budgetShow = Effect.fnUntraced(function* ({ options: { json } }: Invocation) {
  const { request } = yield* ControlClient
  const { out } = yield* CommandOutput
  const reply = yield* request({ type: "Budget" })
  if (!reply.success || reply.data === undefined || reply.data === null)
    return yield* new Refused({ reason: reply.message, isTold: false })
  yield* out(json ? `${JSON.stringify(reply)}\n` : budgetText(reply.data))
})

/** `autopilotd budget reset`: begins another work of a project's agent. */
export const budgetReset = Effect.fnUntraced(function* ({ options: { json, project } }: Invocation) {
  const { request } = yield* ControlClient
  const { out } = yield* CommandOutput
  const reply = yield* request({ type: "ResetBudget", ...(project === undefined ? {} : { project }) })
  if (json) yield* out(`${JSON.stringify(reply)}\n`)
  if (!reply.success) return yield* new Refused({ reason: reply.message, isTold: json === true })
  if (!json) yield* out(`${reply.message}\n`)
})
