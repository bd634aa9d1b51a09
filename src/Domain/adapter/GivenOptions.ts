import type { CommandLine } from "./AgentAdapter.ts"
import { agentIn } from "./AgentAdapters.ts"
import { programOf } from "./AgentArguments.ts"

/** What a user asks of an agent beside its command line. */
export interface GivenOptions {
  readonly model?: string | undefined
  /** US dollars. */
  readonly maxBudget?: number | undefined
  readonly maxTurns?: number | undefined
}

/** An option that does not reach the program; `reason` continues a sentence that begins with the option. */
interface Unpassed {
  readonly option: keyof GivenOptions
  readonly reason: string
}

const optionNames = ["model", "maxBudget", "maxTurns"] as const

/** The command line with the agent's own options for what the user asks, and what of it does not reach the program. */
export const withGiven = (
  argv: CommandLine,
  given: GivenOptions
): { readonly argv: CommandLine; readonly unpassed: ReadonlyArray<Unpassed> } => {
  const agent = agentIn(argv)
  const asked = optionNames.filter((option) => given[option] !== undefined)
  if (agent === undefined) {
    const reason = `cannot be passed to ${programOf(argv)}, whose options autopilotd does not know`
    return { argv, unpassed: asked.map((option) => ({ option, reason })) }
  }
  const { maxBudget: usd, maxTurns: turns, model } = given
  const chosen = model === undefined ? argv : agent.withModel(argv, model)
  const limits = asked.filter((option) => option !== "model")
  if (limits.length === 0) return { argv: chosen, unpassed: [] }
  if (agent.limited !== undefined) return { argv: agent.limited(chosen, { usd, turns }), unpassed: [] }
  const reason = `cannot be passed to ${agent.title}, for which autopilotd knows no such limit`
  return { argv: chosen, unpassed: limits.map((option) => ({ option, reason })) }
}
