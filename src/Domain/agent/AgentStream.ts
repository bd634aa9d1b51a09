import { identity } from "effect/Function"
import { bigLine, bigResult } from "./AgentBigLine.ts"
import { spentOf, withAnswerCost, withCutResultCost, withResultCost, withUsageAnswer } from "./AgentCost.ts"
import {
  type AgentLine,
  agentLineOf,
  blocksOf,
  isObject,
  type JsonObject,
  looksLikeAgentLine,
  numberAt,
  objectAt,
  shortened,
  textAt
} from "./AgentLine.ts"
import type {
  AgentError,
  AgentRateLimit,
  AgentResult,
  AgentRetry,
  AgentSeen,
  ToolInFlight
} from "./AgentSeen.ts"
import { resetFigureMs } from "./UsageLimitReset.ts"

/** An agent runs far fewer tools at once. Beyond this number the oldest call counts as finished. */
const maxTools = 64

/** Longer lines are searched instead of parsed, which costs a tenth. A `result` matters more. */
const maxParsedLength = 64 * 1024
const maxResultLength = 1024 * 1024

const maxNameLength = 200

/** Hides secrets in a text, before it is shortened: a cut may leave a part of one. */
type Mask = (text: string) => string

const nameAt = (object: JsonObject, key: string): string | undefined => {
  const text = textAt(object, key)
  return text === undefined ? undefined : shortened(text, maxNameLength)
}

/** An answer of the agent or a subagent, with its tool calls. */
interface Answer {
  readonly message: string | undefined
  readonly parent: string | undefined
  readonly called: ReadonlyArray<{ readonly id: string; readonly name: string }>
}

/**
 * The API accepts no request before every call of the last answer has a result. So a new answer ends older calls, even
 * when a result line was lost.
 */
const withCalls = (
  tools: ReadonlyArray<ToolInFlight>,
  { called, message, parent }: Answer,
  sinceMs: number
): ReadonlyArray<ToolInFlight> => {
  const others = tools.filter(
    (tool) =>
      (tool.parent !== parent || (message !== undefined && tool.message === message)) &&
      called.every(({ id }) => id !== tool.id)
  )
  return [...others, ...called.map((tool) => ({ ...tool, sinceMs, message, parent }))].slice(-maxTools)
}

const onAnswer = (state: AgentSeen, answer: Answer, atMs: number): AgentSeen => {
  const tools = withCalls(state.tools, answer, atMs)
  if (answer.parent !== undefined) return { ...state, tools, retry: undefined }
  // An answer with several parts is several lines.
  const isFurther = answer.message === undefined || answer.message !== state.message
  return {
    ...state,
    tools,
    turns: isFurther ? state.turns + 1 : state.turns,
    message: answer.message,
    result: undefined,
    retry: undefined,
    error: undefined
  }
}

const textOf = (line: AgentLine): string =>
  blocksOf(line)
    .map((block) => textAt(block, "text"))
    .filter((text) => text !== undefined)
    .join(" ")

/** Returns an error in the form of an answer. */
const errorOf = (line: AgentLine, atMs: number, mask: Mask): AgentError | undefined => {
  const { object } = line
  const error = nameAt(object, "error")
  if (error === undefined && object["is_api_error_message"] !== true) return undefined
  return { atMs, text: shortened(mask(textOf(line))), error, status: numberAt(object, "api_error_status") }
}

const onAssistant = (state: AgentSeen, line: AgentLine, atMs: number, mask: Mask): AgentSeen => {
  const error = errorOf(line, atMs, mask)
  const parent = nameAt(line.object, "parent_tool_use_id")
  // The agent receives the error of a subagent and continues.
  if (error !== undefined) return parent === undefined ? { ...state, error, result: undefined } : state
  const called = blocksOf(line).flatMap((block) => {
    const id = nameAt(block, "id")
    return block["type"] === "tool_use" && id !== undefined
      ? [{ id, name: mask(nameAt(block, "name") ?? "a tool") }]
      : []
  })
  const message = objectAt(line.object, "message")
  const counted = { ...state, cost: withAnswerCost(state.cost, message) }
  return onAnswer(counted, { message: nameAt(message, "id"), parent, called }, atMs)
}

const closed = (state: AgentSeen, ids: ReadonlyArray<string | undefined>): AgentSeen =>
  state.tools.some(({ id }) => ids.includes(id))
    ? { ...state, tools: state.tools.filter(({ id }) => !ids.includes(id)) }
    : state

const hasSucceeded = ({ result }: AgentSeen): boolean =>
  result !== undefined && !result.isError && result.subtype === "success"

const onSystem = (state: AgentSeen, { object }: AgentLine, atMs: number): AgentSeen => {
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
        attempt: numberAt(object, "attempt") ?? 0,
        maxRetries: numberAt(object, "max_retries"),
        delayMs: numberAt(object, "retry_delay_ms"),
        status: numberAt(object, "error_status"),
        error: nameAt(object, "error")
      }
      return { ...state, retry }
    }
    default:
      return state
  }
}

/** Some results have a text, others a list of errors. */
const resultText = (object: JsonObject, mask: Mask): string => {
  const { errors } = object
  const listed = Array.isArray(errors) ? errors.filter((error) => typeof error === "string").join("; ") : ""
  return shortened(mask(textAt(object, "result") ?? listed))
}

/** A run has a result for each turn of its loop: its turns are those of all of them. */
const turnsOfRun = ({ resultTurns }: AgentSeen, turns: number | undefined): number | undefined =>
  turns === undefined ? undefined : (resultTurns ?? 0) + turns

const onResult = (state: AgentSeen, { object }: AgentLine, atMs: number, mask: Mask): AgentSeen => {
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
  return { ...state, result, resultTurns: result.turns ?? state.resultTurns, tools: [], cost }
}

const onRateLimit = (state: AgentSeen, { object }: AgentLine, atMs: number, mask: Mask): AgentSeen => {
  const info = objectAt(object, "rate_limit_info")
  const status = nameAt(info, "status")
  if (status === undefined) return state
  const type = nameAt(info, "rateLimitType")
  const rateLimit: AgentRateLimit = {
    atMs,
    status,
    type: type === undefined ? undefined : mask(type),
    resetsAtMs: resetFigureMs(numberAt(info, "resetsAt"), atMs),
    isUsingOverage: info["isUsingOverage"] === true
  }
  return { ...state, rateLimit }
}

const onLine = (state: AgentSeen, line: AgentLine, atMs: number, mask: Mask): AgentSeen => {
  switch (line.type) {
    case "system":
      return onSystem(state, line, atMs)
    case "assistant":
      return onAssistant(state, line, atMs, mask)
    case "user":
      return closed(
        state,
        blocksOf(line).map((block) => nameAt(block, "tool_use_id"))
      )
    case "result":
      return onResult(state, line, atMs, mask)
    default:
      return onRateLimit(state, line, atMs, mask)
  }
}

const onBigLine = (state: AgentSeen, text: string, atMs: number): AgentSeen => {
  // Only a parsed line proves that the worker is an agent.
  if (state.sessionId === undefined) return state
  const result = bigResult(text)
  if (result !== undefined) {
    const turns = turnsOfRun(state, result.turns)
    const { apiErrorStatus, isError, subtype } = result
    const cost = withCutResultCost(state.cost, { ...result, session: state.sessionId })
    const shown = { atMs, subtype, isError, text: "", turns, costUsd: spentOf(cost).costUsd, apiErrorStatus }
    return { ...state, result: shown, resultTurns: turns, tools: [], cost }
  }
  const line = bigLine(text)
  if (line === undefined) return state
  return line.type === "user" ? closed(state, line.answered) : onAnswer(state, line, atMs)
}

const isResult = /"type"\s*:\s*"result"|"num_turns"\s*:/

/** The answer to a question of the daemon. */
const isAnswer = /^\s*\{\s*"type"\s*:\s*"control_response"/

const onUsageAnswer = (state: AgentSeen, text: string): AgentSeen => {
  const answered: unknown = text.length > maxParsedLength ? undefined : JSON.parse(text)
  if (!isObject(answered)) return state
  const session = objectAt(objectAt(objectAt(answered, "response"), "response"), "session")
  const cost = withUsageAnswer(state.cost, session)
  return cost === state.cost ? state : { ...state, cost }
}

const withLine = (state: AgentSeen, text: string, atMs: number, mask: Mask): AgentSeen => {
  if (!looksLikeAgentLine(text)) return state
  if (isAnswer.test(text)) return onUsageAnswer(state, text)
  const isShort = text.length <= (isResult.test(text) ? maxResultLength : maxParsedLength)
  const line = isShort ? agentLineOf(text, state.sessionId !== undefined) : undefined
  if (line === undefined) return onBigLine(state, text, atMs)
  const sessionId = nameAt(line.object, "session_id") ?? state.sessionId
  return onLine(state.sessionId === sessionId ? state : { ...state, sessionId }, line, atMs, mask)
}

/**
 * Adds a line of Claude Code's `--output-format stream-json`, read at `atMs`. Other lines change nothing. A very long or
 * cut line still opens and closes tool calls. `mask` hides secrets in the texts of errors and results.
 */
export const nextAgent = (state: AgentSeen, text: string, atMs: number, mask: Mask = identity): AgentSeen => {
  try {
    return withLine(state, text, atMs, mask)
  } catch {
    // A line may be nested deeper than the stack of this program, and a worker may print any line.
    return state
  }
}
