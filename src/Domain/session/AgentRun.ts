import * as Schema from "effect/Schema"
import { AgentName } from "../agent/AgentName.ts"
import { type AgentSeen, isAgent } from "../agent/AgentSeen.ts"
import { blockedOf } from "../agent/AgentSituation.ts"
import { spentOf } from "../agent/AgentSpent.ts"
import { AgentTokens } from "../agent/AgentUsage.ts"
import { counted, dollars } from "../text/Amounts.ts"
import { perhaps } from "../Wire.ts"

/** What is left of a run's agent: the history keeps it. */
export const AgentRun = Schema.Struct({
  name: perhaps(AgentName),
  sessionId: perhaps(Schema.String),
  model: perhaps(Schema.String),
  /** The answers of the agent itself. */
  turns: Schema.Number,
  /** Its answers and tool calls, those of subagents included; absent in records of earlier versions. */
  messages: perhaps(Schema.Number),
  toolCalls: perhaps(Schema.Number),
  /** US dollars of this process; absent when its price is not known. */
  costUsd: perhaps(Schema.Number),
  /** False when a part of the cost is estimated or not known. */
  isCostExact: perhaps(Schema.Boolean),
  tokens: AgentTokens,
  /** Why only a person helps, in words that continue `The agent `. */
  blocked: perhaps(
    Schema.Struct({ why: Schema.Literal("permission", "login", "question"), text: Schema.String })
  )
})
export type AgentRun = typeof AgentRun.Type

/** The figures of a run that has ended; undefined where the worker was no agent. */
export const agentRun = (agent: AgentSeen): AgentRun | undefined => {
  if (!isAgent(agent)) return undefined
  const { model, pace, sessionId, turns } = agent
  const toolCalls = pace?.toolCalls ?? 0
  const { costUsd, isExact, tokens } = spentOf(agent.cost)
  const blocked = blockedOf(agent)
  return {
    turns,
    messages: (pace?.actions ?? 0) - toolCalls,
    toolCalls,
    tokens,
    ...(agent.agent === undefined ? {} : { name: agent.agent }),
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(model === undefined ? {} : { model }),
    ...(costUsd === undefined ? {} : { costUsd, isCostExact: isExact }),
    ...(blocked === undefined ? {} : { blocked: { why: blocked.why, text: blocked.text } })
  }
}

/** `12 turns for about $0.42`. */
export const describeRun = ({ costUsd, isCostExact, turns }: AgentRun): string => {
  const cost = costUsd === undefined ? "" : ` for ${isCostExact === true ? "" : "about "}${dollars(costUsd)}`
  return `${counted(turns, "turn")}${cost}`
}
