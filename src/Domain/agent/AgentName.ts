import * as Schema from "effect/Schema"

/** The agents whose output and arguments are understood. */
export const agentNames = ["claude", "codex", "gemini", "qwen", "opencode"] as const
export const AgentName = Schema.Literal(...agentNames)
export type AgentName = typeof AgentName.Type
