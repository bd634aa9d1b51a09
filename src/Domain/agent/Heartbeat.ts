import { requestPrefix } from "./AgentLine.ts"
import { ownKeys } from "./OwnKeys.ts"

const isAnswerToUs = new RegExp(`"request_id"\\s*:\\s*"${requestPrefix}`)

/**
 * Whether Claude Code prints a line without any work: every thirty seconds while a tool runs, also one that hangs
 * (`tool_progress`), to keep a connection open, or as the answer to a question of the daemon.
 */
export const isHeartbeat = (text: string): boolean => {
  if (!text.startsWith("{")) return false
  const type = ownKeys(text).get("type")
  return (
    type === '"tool_progress"' ||
    type === '"keep_alive"' ||
    (type === '"control_response"' && isAnswerToUs.test(text))
  )
}
