import type { AgentName } from "../agent/AgentName.ts"
import type { AgentAdapter, CommandLine } from "./AgentAdapter.ts"
import { programOf } from "./AgentArguments.ts"
import { claude } from "./ClaudeAdapter.ts"
import { codex } from "./CodexAdapter.ts"
import { gemini } from "./GeminiAdapter.ts"
import { opencode } from "./OpenCodeAdapter.ts"
import { qwen } from "./QwenAdapter.ts"

/** All agents that the daemon knows. */
export const adapters: Readonly<Record<AgentName, AgentAdapter>> = { claude, codex, gemini, qwen, opencode }

/** The agent that a command line runs, in any mode: one for a person has the same login and options. */
export const agentIn = (argv: CommandLine): AgentAdapter | undefined =>
  Object.values(adapters).find(({ name }) => name === programOf(argv))

/** The agent that a command line runs without a person; undefined for any other program. */
export const adapterOf = (argv: CommandLine): AgentAdapter | undefined =>
  Object.values(adapters).find(({ runs }) => runs(argv))
