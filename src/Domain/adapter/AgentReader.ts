import { identity } from "effect/Function"
import { type AgentLine, agentLineOf, isOurAnswer } from "../agent/AgentLine.ts"
import type { AgentName } from "../agent/AgentName.ts"
import type { AgentSeen } from "../agent/AgentSeen.ts"
import type { Mask } from "./AgentAdapter.ts"
import { adapters } from "./AgentAdapters.ts"

/** Claude Code's lines are told last: their mark may stand anywhere. */
const inOrder = [adapters.codex, adapters.gemini, adapters.opencode, adapters.qwen, adapters.claude]

/** The agent that a line may be the first of, by its form alone. */
const agentOf = (text: string): AgentName | undefined =>
  text.startsWith("{") ? inOrder.find(({ begins }) => begins(text))?.name : undefined

/** Whether a line may be one of the agent's stream. The search is linear in its length and parses nothing. */
export const isAgentLine = ({ agent }: AgentSeen, text: string): boolean =>
  agent === undefined ? agentOf(text) !== undefined : adapters[agent].isLine(text)

/** Whether a line may be one of any agent's stream. */
export const isAnyAgentLine = (text: string): boolean =>
  text.startsWith("{") && inOrder.some(({ isLine }) => isLine(text))

const answersUs = (text: string): boolean => {
  const line = agentLineOf(text)
  return line !== undefined && isOurAnswer(line.object)
}

/** Brings a line of any agent's stream into the form of Claude Code's; undefined for other lines. */
export const commonLinesOf = (text: string): ReadonlyArray<AgentLine> | undefined => {
  for (const { linesOf } of inOrder) {
    const lines = linesOf?.(text)
    if (lines !== undefined) return lines
  }
  const line = agentLineOf(text)
  return line === undefined ? undefined : [line]
}

/**
 * Adds a line of an agent's stream, read at `atMs`. The first such line tells which agent it is, and the reader stays with
 * it. Other lines change nothing. `mask` hides secrets in texts.
 */
export const readAgentLine = (
  seen: AgentSeen,
  text: string,
  atMs: number,
  mask: Mask = identity
): AgentSeen => {
  const agent = seen.agent ?? agentOf(text)
  if (agent === undefined) return seen
  const after = adapters[agent].next(seen, text, atMs, mask)
  if (seen.agent !== undefined) return after
  // Only a line that names its session tells the agent, or the answer to the daemon's own request, which comes before: it
  // tells what earlier processes have spent.
  return after.sessionId === undefined && !answersUs(text) ? seen : { ...after, agent }
}
