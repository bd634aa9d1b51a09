import { adapterOf } from "../adapter/AgentAdapters.ts"
import { claude } from "../adapter/ClaudeAdapter.ts"
import type { AgentName } from "../agent/AgentName.ts"
import type { WorkerToRun } from "../settings/EffectiveSettings.ts"
import type { RestartSettings } from "../settings/RestartSettings.ts"

/**
 * Claude Code gives up a request of the API after ten minutes by itself, and lets a command run for ten at most: three
 * times that is no work. Tools have a limit of their own.
 */
const agentTimeoutMs = 1_800_000

/** The daemon cannot tell a long tool of theirs from a hang: they print nothing before its end. */
const silentInTools: ReadonlySet<AgentName> = new Set<AgentName>(["opencode"])

/** The stall timeout of a worker: of an agent whose stream is known also without a setting. Others may be silent for long. */
export const stallTimeoutOf = (
  set: RestartSettings["stallTimeoutMs"],
  worker: Pick<WorkerToRun, "argv" | "command"> | undefined
): number | false => {
  if (set !== undefined || worker === undefined) return set ?? false
  const agent = worker.command._tag === "Claude" ? claude : adapterOf(worker.argv)
  return agent === undefined || silentInTools.has(agent.name) ? false : agentTimeoutMs
}
