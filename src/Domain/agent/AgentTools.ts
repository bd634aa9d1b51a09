import type { AgentSeen } from "./AgentSeen.ts"

/** The tools that run a subagent. */
export const isSubagentTool = (name: string): boolean => name === "Task" || name === "Agent"

/** Whether a tool of the agent itself is in the middle of its work. A subagent's work is in the session. */
export const isMidTool = ({ tools }: Pick<AgentSeen, "tools">): boolean =>
  tools.some(({ name, parent }) => parent === undefined && !isSubagentTool(name))
