/**
 * The calls and results of tools in a line that is too long to parse, or cut. JSON escapes a quote inside a text, so no
 * text can look like these keys.
 */
interface BigLine {
  readonly type: string
  /** The id of its message. */
  readonly message: string | undefined
  /** The tool call of its subagent. */
  readonly parent: string | undefined
  readonly called: ReadonlyArray<{ readonly id: string; readonly name: string }>
  readonly answered: ReadonlyArray<string>
}

const lineType = /"type"\s*:\s*"(assistant|user)"/
const messageId = /"id"\s*:\s*"(msg_[^"\\]{1,200})"/
const parentId = /"parent_tool_use_id"\s*:\s*"([^"\\]{1,200})"/
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

/** Searches the line without parsing it. Undefined unless it is an answer or the results of tools. */
export const bigLine = (text: string): BigLine | undefined => {
  const type = lineType.exec(text)?.[1]
  if (type !== "assistant" && type !== "user") return undefined
  return {
    type,
    message: messageId.exec(text)?.[1],
    parent: parentId.exec(text)?.[1],
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
}

const resultSubtype = /"subtype"\s*:\s*"(\w{1,60})"/
const isErrorMark = /"is_error"\s*:\s*true/
const apiErrorStatus = /"api_error_status"\s*:\s*(\d{3})\b/
const numTurns = /"num_turns"\s*:\s*(\d{1,9})\b/

const figure = (pattern: RegExp, text: string): number | undefined => {
  const digits = pattern.exec(text)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/**
 * Reads the figures of a `result` line that cannot be parsed, wherever they stand. The count of turns tells it apart:
 * no other line has one.
 */
export const bigResult = (text: string): BigResult | undefined => {
  const turns = figure(numTurns, text)
  const subtype = resultSubtype.exec(text)?.[1]
  if (turns === undefined || subtype === undefined) return undefined
  return {
    subtype,
    isError: isErrorMark.test(text),
    apiErrorStatus: figure(apiErrorStatus, text),
    turns
  }
}
