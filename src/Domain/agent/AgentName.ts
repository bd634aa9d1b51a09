import * as Schema from "effect/Schema"

/** The agents whose output and arguments are understood. */
export const AgentName = Schema.Literal("claude", "codex", "gemini", "qwen", "opencode")
export type AgentName = typeof AgentName.Type
