import { withoutEscapes } from "../text/EscapeSequences.ts"
import { printable } from "../text/Printable.ts"

export type JsonObject = Readonly<Record<string, unknown>>

/** A parsed line of Claude Code's `--output-format stream-json`, of which only the type is checked. */
export interface AgentLine {
  readonly type: string
  readonly object: JsonObject
}

/** The types of lines that matter here; the others describe the program's own screen. */
const known: ReadonlySet<string> = new Set([
  "system",
  "assistant",
  "user",
  "result",
  "rate_limit_event",
  "control_response"
])

/**
 * Marks a line of the stream. The keys stand in any order: since some version after 2.1.197 a `result` line has its
 * type 1,600 characters in, after its figures, so that a line that was cut may have lost it. A quote inside a text is
 * escaped in JSON, so no text of the agent looks like a key.
 */
const mark =
  /"type"\s*:\s*"(?:system|assistant|user|result|rate_limit_event|control_response)"|"num_turns"\s*:/

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Returns a text that is not empty. */
export const textAt = (object: JsonObject, key: string): string | undefined => {
  const value = object[key]
  return typeof value === "string" && value !== "" ? value : undefined
}

const maxNameLength = 200

/** Returns a text that is a name, such as an id: shortened, because a worker may print any length. */
export const nameAt = (object: JsonObject, key: string): string | undefined => {
  const text = textAt(object, key)
  return text === undefined ? undefined : shortened(text, maxNameLength)
}

/** Returns a finite number: JSON can also express an infinite one, such as 1e999. */
export const numberAt = (object: JsonObject, key: string): number | undefined => {
  const value = object[key]
  return typeof value === "number" && Number.isFinite(value) ? value : undefined
}

/** Returns the object at a key, or an empty one. */
export const objectAt = (object: JsonObject, key: string): JsonObject => {
  const value = object[key]
  return isObject(value) ? value : {}
}

/** The content blocks of an `assistant` or `user` line. */
export const blocksOf = ({ object }: AgentLine): ReadonlyArray<JsonObject> => {
  const { content } = objectAt(object, "message")
  return Array.isArray(content) ? content.filter(isObject) : []
}

/** Shortens a text of the agent, without escape sequences; other control characters are escaped. */
export const shortened = (text: string, maxLength = 300): string =>
  printable(withoutEscapes(text).trim(), maxLength)

/** Returns the object that a text holds; undefined for any other text. */
export const parsedObject = (text: string): JsonObject | undefined => {
  const value = parsed(text)
  return isObject(value) ? value : undefined
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // Another program's line, or a cut one.
    return undefined
  }
}

/** Whether a line may be one of the stream. The search is linear in its length and parses nothing. */
export const looksLikeAgentLine = (text: string): boolean => text.startsWith("{") && mark.test(text)

/** Lines of the stream for a program: each part of an answer as it comes, the seconds of a tool. */
const partial: ReadonlySet<unknown> = new Set([
  "stream_event",
  "tool_progress",
  "keep_alive",
  "tool_use_summary",
  "command_lifecycle"
])

/** Requests on the agent's standard input, and their answers. */
const requests: ReadonlySet<unknown> = new Set(["control_request", "control_cancel_request"])

/** Whether a line is one of the stream that a reader does not need. A line of another program has no such id. */
export const isSilent = (text: string): boolean => {
  if (!text.startsWith("{")) return false
  const object = parsed(text)
  if (!isObject(object)) return false
  const { type } = object
  if (partial.has(type)) return textAt(object, "session_id") !== undefined
  if (requests.has(type)) return textAt(object, "request_id") !== undefined
  return type === "control_response" && textAt(objectAt(object, "response"), "request_id") !== undefined
}

/** Whether an object has what the lines of the stream have beside their type and session. */
const hasForm = (object: JsonObject): boolean =>
  textAt(object, "subtype") !== undefined ||
  isObject(object["message"]) ||
  isObject(object["rate_limit_info"]) ||
  isObject(object["response"])

/** The beginning of the ids of the daemon's own requests. */
export const requestPrefix = "autopilotd-"

/** The daemon asks before the agent names its session. */
export const isOurAnswer = (object: JsonObject): boolean =>
  object["type"] === "control_response" &&
  textAt(objectAt(object, "response"), "request_id")?.startsWith(requestPrefix) === true

/**
 * Parses a line of the stream, which names its session; undefined for other lines. In a stream whose session is known,
 * wrappers and older versions leave the session out.
 */
export const agentLineOf = (text: string, isSessionKnown = false): AgentLine | undefined => {
  const line = text.trimStart()
  if (!looksLikeAgentLine(line)) return undefined
  const object = parsed(line)
  if (!isObject(object)) return undefined
  const type = object["type"]
  if (typeof type !== "string" || !known.has(type)) return undefined
  const isOfStream =
    textAt(object, "session_id") !== undefined || (isSessionKnown && hasForm(object)) || isOurAnswer(object)
  return isOfStream ? { type, object } : undefined
}
