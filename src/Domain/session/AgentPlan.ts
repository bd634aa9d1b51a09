import * as Hash from "effect/Hash"
import type { AgentAdapter, CommandLine, RunLimits } from "../adapter/AgentAdapter.ts"
import { adapterOf } from "../adapter/AgentAdapters.ts"
import { claude } from "../adapter/ClaudeAdapter.ts"
import type { Settings } from "../settings/Settings.ts"
import type { Argv, WorkerCommand } from "../settings/WorkerCommand.ts"

/** How the daemon treats a worker whose agent it knows. */
export interface AgentPlan {
  readonly adapter: AgentAdapter
  /** A hash of what the agent is to do: its prompt, the file that holds it, or its command line. */
  readonly task: number
  /** The prompt that the agent gets on standard input; undefined where it stands in the command line. */
  readonly prompt: { readonly text: string } | { readonly file: string } | undefined
  /** The id of a new session that the user's own arguments choose. */
  readonly ownSession: string | undefined
  readonly resume: boolean
  /** Runs in a row that continue a session without a finished answer, before one begins anew. */
  readonly resumeAttempts: number
  readonly resumePrompt: string
  /** The longest wait of a finished agent for its background tasks. */
  readonly lingerMs: number
  /** The used share of a window of the plan at which the agent waits for its reset; false: never. */
  readonly holdAt: number | false
  /** Limits in US dollars: of the whole work, of the project and of all projects for each day. */
  readonly budget: {
    readonly workUsd: number | undefined
    readonly projectDayUsd: number | undefined
    readonly allDayUsd: number | undefined
  }
  /** The turns of the whole work. */
  readonly maxTurns: number | undefined
  /** Runs in a row without a finished answer after which a restart would only cost money. */
  readonly maxFruitless: number
}

/** The agent of a worker command, its prompt, and the limits that the command sets. */
interface Agent {
  readonly adapter: AgentAdapter
  readonly argv: CommandLine
  readonly prompt: AgentPlan["prompt"]
  readonly task: string
  readonly limits: RunLimits
}

const noLimits: RunLimits = { usd: undefined, turns: undefined }

const agentOf = (command: WorkerCommand, argv: Argv, settings: Settings): Agent | undefined => {
  if (command._tag === "Claude") {
    const { prompt, promptFile = "" } = command
    return {
      adapter: claude,
      argv,
      prompt: prompt === undefined ? { file: promptFile } : { text: prompt },
      task: prompt ?? promptFile,
      limits: { usd: settings.maxBudget, turns: settings.maxTurns }
    }
  }
  const adapter = command._tag === "Command" ? adapterOf(argv) : undefined
  if (adapter === undefined) return undefined
  const fed = adapter.fed?.(argv)
  return {
    adapter,
    argv: fed?.argv ?? argv,
    prompt: fed && { text: fed.prompt },
    task: fed?.prompt ?? argv.join("\0"),
    limits: adapter.limitsOf?.(argv) ?? noLimits
  }
}

/** The command line of a worker, and the plan for its agent; undefined for a worker that is none, or an unknown one. */
export const agentPlanOf = (
  command: WorkerCommand,
  given: Argv,
  settings: Settings
): { readonly argv: CommandLine; readonly agent: AgentPlan | undefined } => {
  const found = agentOf(command, given, settings)
  if (found === undefined) return { argv: given, agent: undefined }
  const { adapter, argv, limits, prompt, task } = found
  const { holdAt, lingerMs, resume, resumeAttempts, resumePrompt } = settings.agent
  const agent: AgentPlan = {
    adapter,
    prompt,
    task: Hash.string(task),
    ownSession: adapter.ownSession?.(argv),
    resume,
    resumeAttempts,
    resumePrompt,
    lingerMs,
    holdAt,
    budget: {
      workUsd: limits.usd,
      projectDayUsd: settings.maxBudgetPerDay,
      allDayUsd: settings.budget.perDay
    },
    maxTurns: limits.turns,
    maxFruitless: settings.restart.maxRestartsWithoutAnswer
  }
  return { argv, agent }
}
