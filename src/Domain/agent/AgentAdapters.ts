import type { AgentAdapter, CommandLine } from "./AgentAdapter.ts"
import { claude } from "./ClaudeAdapter.ts"

/** All agents that the daemon knows. */
const adapters: ReadonlyArray<AgentAdapter> = [claude]

/** The agent that a command line runs without a person; undefined for any other program. */
export const adapterOf = (argv: CommandLine): AgentAdapter | undefined =>
  adapters.find(({ runs }) => runs(argv))
