import { withContextOf } from "./AgentContext.ts"
import { withAnswerCost } from "./AgentCost.ts"
import { withAllowed, withDenial } from "./AgentDenials.ts"
import {
  type AgentLine,
  blocksOf,
  type JsonObject,
  nameAt,
  numberAt,
  objectAt,
  shortened,
  textAt
} from "./AgentLine.ts"
import { withMessage, withToolCalls } from "./AgentPace.ts"
import type { AgentError, AgentSeen, ToolInFlight } from "./AgentSeen.ts"
import { type AgentTasks, withWakeUpCall } from "./AgentTasks.ts"
import { isSubagentTool } from "./AgentTools.ts"
import { callHash, withCall, withCallResult, withText } from "./AgentWork.ts"
import { toolInputText, toolResultText } from "./ToolText.ts"

/** An agent runs far fewer tools at once. Beyond this number the oldest call counts as finished. */
const maxTools = 64

const maxInputLength = 120

/** When a line was read, and what hides secrets in its texts before they are shortened. */
export interface Reading {
  readonly atMs: number
  readonly mask: (text: string) => string
}

interface Called {
  readonly id: string
  readonly name: string
  readonly input?: string
  readonly hash?: number
}

/** An answer of the agent or a subagent, with its tool calls. */
interface Answer {
  /** Its `id`, `model` and `usage`. */
  readonly message: JsonObject
  readonly parent: string | undefined
  readonly called: ReadonlyArray<Called>
}

/**
 * The API accepts no request before every call of the last answer has a result. So a new answer ends older calls, even
 * when a result line was lost.
 */
const withCalls = (
  tools: ReadonlyArray<ToolInFlight>,
  { called, message, parent }: Pick<Answer, "called" | "parent"> & { readonly message: string | undefined },
  sinceMs: number
): ReadonlyArray<ToolInFlight> => {
  const others = tools.filter(
    (tool) =>
      (tool.parent !== parent || (message !== undefined && tool.message === message)) &&
      called.every(({ id }) => id !== tool.id)
  )
  return [...others, ...called.map((tool) => ({ ...tool, sinceMs, message, parent }))].slice(-maxTools)
}

const isSubagent = ({ name }: Called): boolean => isSubagentTool(name)

/** Takes an answer, or one block of it. */
export const onAnswer = (state: AgentSeen, answer: Answer, atMs: number): AgentSeen => {
  const { called, parent } = answer
  const message = nameAt(answer.message, "id")
  const cost = withAnswerCost(state.cost, answer.message)
  const last = called.at(-1)
  const told: AgentSeen = {
    ...state,
    cost,
    tools: withCalls(state.tools, { called, message, parent }, atMs),
    retry: undefined,
    pace: state.pace && withToolCalls(state.pace, called.length, atMs),
    subagents: state.subagents + called.filter(isSubagent).length,
    work: last === undefined ? state.work : withCall(state.work, { ...last, input: last.input ?? "", atMs })
  }
  if (parent !== undefined) return told
  // An answer with several parts is several lines, which may be printed again.
  const isFurther = message === undefined || cost !== state.cost
  return {
    ...told,
    turns: isFurther ? state.turns + 1 : state.turns,
    context: withContextOf(state.context, answer.message),
    work: { ...told.work, badRequests: 0 },
    result: undefined,
    error: undefined
  }
}

const textOf = (line: AgentLine): string =>
  blocksOf(line)
    .map((block) => textAt(block, "text"))
    .filter((text) => text !== undefined)
    .join(" ")

/** Returns an error in the form of an answer. */
const errorOf = (line: AgentLine, { atMs, mask }: Reading): AgentError | undefined => {
  const { object } = line
  const error = nameAt(object, "error")
  if (error === undefined && object["is_api_error_message"] !== true) return undefined
  return { atMs, text: shortened(mask(textOf(line))), error, status: numberAt(object, "api_error_status") }
}

const onError = (state: AgentSeen, error: AgentError): AgentSeen => {
  const badRequests = error.status === 400 ? state.work.badRequests + 1 : 0
  return { ...state, error, result: undefined, work: { ...state.work, badRequests } }
}

const callIn = (block: JsonObject, { mask }: Reading): ReadonlyArray<Called> => {
  const id = nameAt(block, "id")
  if (block["type"] !== "tool_use" || id === undefined) return []
  const name = mask(nameAt(block, "name") ?? "a tool")
  const input = toolInputText(block["input"], maxInputLength, mask)
  return [{ id, name, input, hash: callHash(name, block["input"]) }]
}

/** Takes a line of type `assistant`. */
export const onAssistant = (state: AgentSeen, line: AgentLine, reading: Reading): AgentSeen => {
  const { atMs, mask } = reading
  const error = errorOf(line, reading)
  const parent = nameAt(line.object, "parent_tool_use_id")
  // The agent receives the error of a subagent and continues.
  if (error !== undefined) return parent === undefined ? onError(state, error) : state
  const blocks = blocksOf(line)
  const message = objectAt(line.object, "message")
  const called = blocks.flatMap((block) => callIn(block, reading))
  const after = onAnswer(state, { message, parent, called }, atMs)
  const tasks = blocks.reduce<AgentTasks>(
    (all, block) => withWakeUpCall(all, textAt(block, "name"), block["input"], reading),
    after.tasks
  )
  const text = textOf(line)
  if (text.trim() === "") return { ...after, tasks }
  const pace = after.pace && withMessage(after.pace, atMs)
  if (parent !== undefined) return { ...after, tasks, pace }
  const said = { message: nameAt(message, "id"), text, shown: shortened(mask(text)), atMs }
  return { ...after, tasks, pace, work: withText(after.work, said) }
}

/** Ends the calls of these tools. */
export const closed = (state: AgentSeen, ids: ReadonlyArray<string | undefined>): AgentSeen =>
  state.tools.some(({ id }) => ids.includes(id))
    ? { ...state, tools: state.tools.filter(({ id }) => !ids.includes(id)) }
    : state

/** How 2.1.197 tells a tool that a person would have to allow. */
const asksPermission = /^Claude requested permissions? to /

const onToolResult = (state: AgentSeen, block: JsonObject, { atMs, mask }: Reading): AgentSeen => {
  const id = nameAt(block, "tool_use_id")
  const call = state.tools.find((tool) => tool.id === id)
  if (id === undefined || call === undefined) return state
  const hasFailed = block["is_error"] === true
  const isDenied = hasFailed && asksPermission.test(toolResultText(block["content"]))
  const denied = { tool_use_id: id, tool_name: call.name }
  return {
    ...closed(state, [id]),
    denials: isDenied
      ? withDenial(state.denials, denied, { atMs, mask })
      : withAllowed(state.denials, id, hasFailed),
    work: withCallResult(
      state.work,
      { id, name: call.name, input: call.input ?? "", hash: call.hash },
      { content: block["content"], hasFailed, atMs }
    )
  }
}

/** Takes a line of type `user`: the results of tools. */
export const onUser = (state: AgentSeen, line: AgentLine, reading: Reading): AgentSeen =>
  blocksOf(line).reduce<AgentSeen>((all, block) => onToolResult(all, block, reading), state)
