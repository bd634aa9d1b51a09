import type { JsonObject } from "./AgentLine.ts"
import { ownKeys } from "./OwnKeys.ts"

/**
 * The calls and results of tools in a line that is too long to parse, or cut. JSON escapes a quote inside a text, so no
 * text can look like these keys.
 */
interface BigLine {
  readonly type: string
  /** Its message, as far as it could be read. */
  readonly message: JsonObject
  /** The tool call of its subagent. */
  readonly parent: string | undefined
  readonly called: ReadonlyArray<{ readonly id: string; readonly name: string }>
  readonly answered: ReadonlyArray<string>
}

const messageId = /"id"\s*:\s*"(msg_[^"\\]{1,200})"/
const modelName = /"model"\s*:\s*"([^"\\]{1,200})"/
const usageFigures = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"].map(
  (key) => [key, new RegExp(`"${key}"\\s*:\\s*(\\d{1,12})`)] as const
)
const answer = /"tool_use_id"\s*:\s*"([^"\\]{1,200})"/g
const call =
  /"type"\s*:\s*"tool_use"\s*,\s*"id"\s*:\s*"([^"\\]{1,200})"\s*,\s*"name"\s*:\s*"([^"\\]{1,200})"/g

/** A message has a handful of blocks. */
const maxBlocks = 64

const everyMatch = (pattern: RegExp, text: string): ReadonlyArray<RegExpExecArray> => {
  const found: Array<RegExpExecArray> = []
  for (const match of text.matchAll(pattern)) {
    if (found.push(match) === maxBlocks) break
  }
  return found
}

const quotedText = /^"([^"\\]{1,200})"$/

/** The text of a value without escapes. */
const textOf = (value: string | undefined): string | undefined => quotedText.exec(value ?? "")?.[1]

const messageIn = (text: string): JsonObject => ({
  id: messageId.exec(text)?.[1],
  model: modelName.exec(text)?.[1],
  usage: Object.fromEntries(usageFigures.map(([key, figure]) => [key, Number(figure.exec(text)?.[1] ?? 0)]))
})

/** Searches the line without parsing it. Undefined unless it is an answer or the results of tools. */
export const bigLine = (text: string): BigLine | undefined => {
  const keys = ownKeys(text)
  const type = textOf(keys.get("type"))
  if (type !== "assistant" && type !== "user") return undefined
  return {
    type,
    message: messageIn(text),
    parent: textOf(keys.get("parent_tool_use_id")),
    called:
      type === "user"
        ? []
        : everyMatch(call, text).map(([, id, name]) => ({ id: id ?? "", name: name ?? "" })),
    answered: type === "user" ? everyMatch(answer, text).map(([, id]) => id ?? "") : []
  }
}

/** The figures of a `result` line that is too long to parse, or cut. */
interface BigResult {
  readonly subtype: string
  readonly isError: boolean
  readonly apiErrorStatus: number | undefined
  readonly turns: number
  readonly id: string | undefined
  readonly totalUsd: number | undefined
  readonly index: number | undefined
}

const mayBeResult = /"num_turns"\s*:/

const decimalOf = (value: string | undefined): number | undefined =>
  value !== undefined && /^\d{1,9}(?:\.\d{1,20})?(?:e-\d{1,2})?$/.test(value) ? Number(value) : undefined

const numberOf = (value: string | undefined): number | undefined =>
  value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined

/**
 * Reads the figures of a `result` line that cannot be parsed, wherever they stand. The count of turns tells it apart:
 * no other line has one.
 */
export const bigResult = (text: string): BigResult | undefined => {
  if (!mayBeResult.test(text)) return undefined
  const keys = ownKeys(text)
  const turns = numberOf(keys.get("num_turns"))
  const subtype = textOf(keys.get("subtype"))
  if (turns === undefined || subtype === undefined) return undefined
  return {
    subtype,
    isError: keys.get("is_error") === "true",
    apiErrorStatus: numberOf(keys.get("api_error_status")),
    turns,
    id: textOf(keys.get("uuid")),
    totalUsd: decimalOf(keys.get("total_cost_usd")),
    index: numberOf(keys.get("result_index"))
  }
}
