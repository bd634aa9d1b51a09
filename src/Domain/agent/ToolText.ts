import { identity } from "effect/Function"
import { printable } from "../text/Printable.ts"
import { isObject, type JsonObject, textAt } from "./AgentLine.ts"

/** The keys of a tool's input that describe it best, in this order. */
const descriptiveKeys: ReadonlyArray<string> = [
  "command",
  "file_path",
  "notebook_path",
  "pattern",
  "query",
  "url",
  "skill",
  "description",
  "prompt",
  "subject",
  "path",
  "name",
  "bash_id",
  "task_id"
]

const todosText = (todos: ReadonlyArray<unknown>): string => {
  const items = todos.filter(isObject)
  const current = items.find((item) => item["status"] === "in_progress")
  const done = items.filter((item) => item["status"] === "completed").length
  const doing =
    current === undefined ? undefined : (textAt(current, "activeForm") ?? textAt(current, "content"))
  return `${done} of ${items.length} done${doing === undefined ? "" : `, now: ${doing}`}`
}

const inputText = (input: JsonObject): string => {
  const { todos } = input
  if (Array.isArray(todos)) return todosText(todos)
  const key = descriptiveKeys.find((name) => textAt(input, name) !== undefined)
  if (key === undefined) return Object.keys(input).length === 0 ? "" : JSON.stringify(input)
  const text = textAt(input, key) ?? ""
  const path = textAt(input, "path")
  return key === "pattern" && path !== undefined ? `${text} in ${path}` : text
}

/**
 * Describes the input of a tool on one line of at most `maxLength` characters, or as an empty text. `mask` hides secrets
 * before the text is cut.
 */
export const toolInputText = (
  input: unknown,
  maxLength: number,
  mask: (text: string) => string = identity
): string => (isObject(input) ? printable(mask(inputText(input)).trim(), maxLength) : "")

const textOfBlock = (block: unknown): string => {
  if (!isObject(block)) return ""
  return textAt(block, "text") ?? (block["type"] === "image" ? "[an image]" : "")
}

/** The result of a tool: a text, or the texts of its blocks. */
export const toolResultText = (content: unknown): string => {
  if (typeof content === "string") return content
  return Array.isArray(content) ? content.map(textOfBlock).join("\n") : ""
}
