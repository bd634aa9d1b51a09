import { printable } from "../text/Printable.ts"

/** A JSON object of which nothing is known yet. */
export type JsonObject = Readonly<Record<string, unknown>>

/** One line of Claude Code's `--output-format stream-json`, parsed. Nothing but its type is known. */
export interface AgentLine {
  readonly type: string
  readonly object: JsonObject
}

/** The types of lines that something is made of; the others are about the program's own screen. */
const known: ReadonlySet<string> = new Set(["system", "assistant", "user", "result", "rate_limit_event"])

/** The type is the first of the keys, but nothing promises that. Most other output is told apart by this alone. */
const head = /"type"\s*:\s*"(?:system|assistant|user|result|rate_limit_event)"/
const headLength = 256

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The text at a key that is not empty. */
export const textAt = (object: JsonObject, key: string): string | undefined => {
  const value = object[key]
  return typeof value === "string" && value !== "" ? value : undefined
}

/** The number at a key: a JSON text can also hold one that is infinite. */
export const numberAt = (object: JsonObject, key: string): number | undefined => {
  const value = object[key]
  return typeof value === "number" && Number.isFinite(value) ? value : undefined
}

/** The object at a key, or an empty one. */
export const objectAt = (object: JsonObject, key: string): JsonObject => {
  const value = object[key]
  return isObject(value) ? value : {}
}

/** The content blocks of an `assistant` or `user` line. */
export const blocksOf = ({ object }: AgentLine): ReadonlyArray<JsonObject> => {
  const { content } = objectAt(object, "message")
  return Array.isArray(content) ? content.filter(isObject) : []
}

/** Texts from the agent that are kept are short, and harmless where they are shown. */
export const shortened = (text: string, maxLength = 300): string => printable(text.trim(), maxLength)

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // Other programs print lines like these, and a line that was cut is none either.
    return undefined
  }
}

/** Whether a line may be one of the stream. It looks at the beginning only. */
export const looksLikeAgentLine = (text: string): boolean =>
  text.startsWith("{") && head.test(text.slice(0, headLength))

/** Lines of the stream that are for a program's screen: each part of an answer as it comes, the seconds of a tool. */
const silent = /^\{\s*"type"\s*:\s*"(?:stream_event|tool_progress|keep_alive|tool_use_summary)"/

/** Whether a line is one of the stream that tells nothing but that it goes on. */
export const isSilent = (text: string): boolean => silent.test(text) && text.includes('"session_id"')

/** The line, if it is one of the stream: each names its session. The cost of parsing is in proportion to its length. */
export const agentLineOf = (text: string): AgentLine | undefined => {
  const line = text.trimStart()
  if (!looksLikeAgentLine(line)) return undefined
  const object = parsed(line)
  if (!isObject(object)) return undefined
  const type = object["type"]
  return typeof type === "string" && known.has(type) && textAt(object, "session_id") !== undefined
    ? { type, object }
    : undefined
}
