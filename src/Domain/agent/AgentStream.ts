import { identity } from "effect/Function"
import { closed, onAnswer, onAssistant, onUser, type Reading } from "./AgentAnswer.ts"
import { bigLine, bigResult } from "./AgentBigLine.ts"
import { withCompaction, withWindows } from "./AgentContext.ts"
import { withCutResultCost, withResultCost, withToldCost } from "./AgentCost.ts"
import { withDenial, withListedDenials } from "./AgentDenials.ts"
import { withRateLimit } from "./AgentLimits.ts"
import {
  type AgentLine,
  agentLineOf,
  type JsonObject,
  looksLikeAgentLine,
  nameAt,
  numberAt,
  objectAt,
  shortened,
  textAt
} from "./AgentLine.ts"
import { beginPace } from "./AgentPace.ts"
import { type AgentResult, type AgentRetry, type AgentSeen, hasSucceeded } from "./AgentSeen.ts"
import { spentOf } from "./AgentSpent.ts"
import { withTaskLine } from "./AgentTasks.ts"

/** Longer lines are searched instead of parsed, which costs a tenth. A `result` matters more. */
const maxParsedLength = 64 * 1024
const maxResultLength = 1024 * 1024

const onSystem = (before: AgentSeen, line: AgentLine, reading: Reading): AgentSeen => {
  const { object } = line
  const { atMs } = reading
  const calls = [...before.tools, before.work.lastCall]
  const inputOf = (id: string) => calls.find((call) => call?.id === id)?.input
  const tasks = withTaskLine(before.tasks, line, reading, inputOf)
  const state = tasks === before.tasks ? before : { ...before, tasks }
  switch (object["subtype"]) {
    case "init":
      return {
        ...state,
        // After a success it begins a further turn of the loop, in which the agent works again.
        result: hasSucceeded(state) ? undefined : state.result,
        model: nameAt(object, "model") ?? state.model
      }
    case "api_retry": {
      const retry: AgentRetry = {
        atMs,
        sinceMs: state.retry?.sinceMs ?? atMs,
        attempt: numberAt(object, "attempt") ?? 0,
        maxRetries: numberAt(object, "max_retries"),
        delayMs: numberAt(object, "retry_delay_ms"),
        status: numberAt(object, "error_status"),
        error: nameAt(object, "error")
      }
      return { ...state, retry }
    }
    case "compact_boundary":
      return { ...state, context: withCompaction(state.context, object) }
    case "permission_denied":
      return { ...state, denials: withDenial(state.denials, object, reading) }
    default:
      return state
  }
}

/** Some results have a text, others a list of errors. */
const resultText = (object: JsonObject, mask: Reading["mask"]): string => {
  const { errors } = object
  const listed = Array.isArray(errors) ? errors.filter((error) => typeof error === "string").join("; ") : ""
  return shortened(mask(textAt(object, "result") ?? listed))
}

/** A run has a result for each turn of its loop: its turns are those of all of them. */
const turnsOfRun = ({ resultTurns }: AgentSeen, turns: number | undefined): number | undefined =>
  turns === undefined ? undefined : (resultTurns ?? 0) + turns

const onResult = (state: AgentSeen, { object }: AgentLine, reading: Reading): AgentSeen => {
  const { atMs, mask } = reading
  const cost = withResultCost(state.cost, object, state.sessionId ?? "")
  const result: AgentResult = {
    atMs,
    subtype: nameAt(object, "subtype") ?? "",
    // 2.1.197 marks a refusal of the model as an error, newer versions do not. To run it again would be refused again.
    isError: object["is_error"] === true && object["stop_reason"] !== "refusal",
    text: resultText(object, mask),
    turns: turnsOfRun(state, numberAt(object, "num_turns")),
    costUsd: spentOf(cost).costUsd,
    durationMs: numberAt(object, "duration_ms"),
    apiErrorStatus: numberAt(object, "api_error_status"),
    terminalReason: nameAt(object, "terminal_reason")
  }
  return {
    ...state,
    result,
    resultTurns: result.turns ?? state.resultTurns,
    tools: [],
    retry: undefined,
    cost,
    denials: withListedDenials(state.denials, object["permission_denials"], reading),
    context: withWindows(state.context, objectAt(object, "modelUsage"))
  }
}

/** The answer to a request on the agent's standard input: `get_usage` tells the cost at any moment. */
const onControl = (state: AgentSeen, { object }: AgentLine): AgentSeen => {
  const session = objectAt(objectAt(objectAt(object, "response"), "response"), "session")
  if (numberAt(session, "total_cost_usd") === undefined) return state
  return {
    ...state,
    cost: withToldCost(state.cost, session, state.sessionId ?? ""),
    context: withWindows(state.context, objectAt(session, "model_usage"))
  }
}

const onLine = (state: AgentSeen, line: AgentLine, reading: Reading): AgentSeen => {
  switch (line.type) {
    case "system":
      return onSystem(state, line, reading)
    case "assistant":
      return onAssistant(state, line, reading)
    case "user":
      return onUser(state, line, reading)
    case "result":
      return onResult(state, line, reading)
    case "control_response":
      return onControl(state, line)
    default: {
      const info = objectAt(line.object, "rate_limit_info")
      return { ...state, rateLimit: withRateLimit(state.rateLimit, info, reading.atMs, reading.mask) }
    }
  }
}

/** Adds a parsed line. */
export const withAgentLine = (
  before: AgentSeen,
  line: AgentLine,
  atMs: number,
  mask: Reading["mask"]
): AgentSeen => {
  const sessionId = nameAt(line.object, "session_id") ?? before.sessionId
  const pace = before.pace ?? beginPace(atMs)
  const isSame = pace === before.pace && sessionId === before.sessionId
  return onLine(isSame ? before : { ...before, pace, sessionId }, line, { atMs, mask })
}

const onBigLine = (state: AgentSeen, text: string, { atMs }: Reading): AgentSeen => {
  // Only a parsed line proves that the worker is an agent.
  if (state.sessionId === undefined) return state
  const result = bigResult(text)
  if (result !== undefined) {
    const turns = turnsOfRun(state, result.turns)
    const { apiErrorStatus, isError, subtype } = result
    const cost = withCutResultCost(state.cost, { ...result, session: state.sessionId })
    const shown = { atMs, subtype, isError, text: "", turns, costUsd: spentOf(cost).costUsd, apiErrorStatus }
    return { ...state, result: shown, resultTurns: turns, tools: [], retry: undefined, cost }
  }
  const line = bigLine(text)
  if (line === undefined) return state
  return line.type === "user" ? closed(state, line.answered) : onAnswer(state, line, atMs)
}

const isResult = /"type"\s*:\s*"result"|"num_turns"\s*:/

const withLine = (state: AgentSeen, text: string, reading: Reading): AgentSeen => {
  if (!looksLikeAgentLine(text)) return state
  const isShort = text.length <= (isResult.test(text) ? maxResultLength : maxParsedLength)
  const line = isShort ? agentLineOf(text, state.sessionId !== undefined) : undefined
  if (line === undefined) return onBigLine(state, text, reading)
  return withAgentLine(state, line, reading.atMs, reading.mask)
}

/**
 * Adds a line of Claude Code's `--output-format stream-json`, read at `atMs`. Other lines change nothing. A very long or
 * cut line still opens and closes tool calls. `mask` hides secrets in texts.
 */
export const nextAgent = (
  state: AgentSeen,
  text: string,
  atMs: number,
  mask: Reading["mask"] = identity
): AgentSeen => {
  try {
    return withLine(state, text, { atMs, mask })
  } catch {
    // A line may be nested deeper than the stack of this program, and a worker may print any line.
    return state
  }
}
