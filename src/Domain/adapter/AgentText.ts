import {
  type AgentLine,
  blocksOf,
  isSilent,
  type JsonObject,
  numberAt,
  objectAt,
  shortened,
  textAt
} from "../agent/AgentLine.ts"
import { toolInputText, toolResultText } from "../agent/ToolText.ts"
import { resetFigureMs } from "../agent/UsageLimitReset.ts"
import { counted, dollars, humanDuration } from "../text/Amounts.ts"
import { localTime, utc, type Zone } from "../text/LocalTime.ts"
import { harmless } from "../text/Printable.ts"
import { type Style, styled } from "../text/Style.ts"
import { commonLinesOf } from "./AgentReader.ts"

interface AgentTextOptions {
  /** Whether ANSI colours may be used. */
  readonly colour: boolean
  /** How long the shortened parts may be, in characters; 100 by default. */
  readonly width?: number
  /** When the line was read, in milliseconds since 1970. Without it the reset of a usage limit is left out. */
  readonly readAtMs?: number
  /** The zone for times of day; UTC by default. */
  readonly zone?: Zone
}

const usualWidth = 100

/** The lines shown of a tool's result. */
const resultLines = 3

/** The rendering of parts, with the options applied. */
interface Look {
  readonly paint: (style: Style, text: string) => string
  readonly width: number
  readonly readAtMs: number | undefined
  readonly time: (atMs: number) => string
}

const lookOf = ({ colour, readAtMs, width = usualWidth, zone }: AgentTextOptions): Look => ({
  readAtMs,
  paint: (style, text) => (colour ? styled(style, text) : text),
  width: Math.max(20, width),
  time: (atMs) => (zone === undefined ? `${localTime(atMs, utc)} UTC` : localTime(atMs, zone))
})

type Shown = ReadonlyArray<string>

const initText = ({ object }: AgentLine, { paint }: Look): Shown => {
  const session = textAt(object, "session_id")
  const parts = [
    ...(session === undefined ? [] : [`session ${shortened(session)}`]),
    ...["model", "cwd"].flatMap((key) => textAt(object, key) ?? []).map((text) => shortened(text))
  ]
  return [paint("dim", `* ${parts.join(", ")}`)]
}

const retryText = ({ object }: AgentLine, { paint }: Look): Shown => {
  const status = numberAt(object, "error_status")
  const error = textAt(object, "error")
  const [attempt, most] = [numberAt(object, "attempt"), numberAt(object, "max_retries")]
  const delayMs = numberAt(object, "retry_delay_ms")
  const text = [
    status === undefined ? "! The API did not answer" : `! The API answered with status ${status}`,
    error === undefined || error === "unknown" ? "" : ` (${shortened(error)})`,
    attempt === undefined ? "" : `: attempt ${attempt}${most === undefined ? "" : ` of ${most}`}`,
    delayMs === undefined ? "" : `, again in ${humanDuration(delayMs)}`
  ].join("")
  return [paint("warning", text)]
}

const systemText = (line: AgentLine, look: Look): Shown => {
  switch (line.object["subtype"]) {
    case "init":
      return initText(line, look)
    case "api_retry":
      return retryText(line, look)
    case "notice":
      return [look.paint("warning", `! ${shortened(textAt(line.object, "text") ?? "", look.width * 3)}`)]
    case "compact_boundary":
      return [look.paint("dim", "* The conversation was compacted")]
    case "task_notification": {
      const parts = [textAt(line.object, "status"), textAt(line.object, "summary")]
      const text = parts.filter((part) => part !== undefined).join(": ")
      return [look.paint("dim", `* Background task ${shortened(text, look.width)}`)]
    }
    default:
      return []
  }
}

const lineBreak = /\r\n|[\n\r]/

const textLines = (text: string): Shown =>
  text
    .trim()
    .split(lineBreak)
    .map((line) => harmless(line, false))

const answerBlock = (block: JsonObject, { paint, width }: Look): Shown => {
  const text = textAt(block, "text")
  if (block["type"] === "text") return text === undefined || text.trim() === "" ? [] : textLines(text)
  if (block["type"] !== "tool_use") return []
  const name = shortened(textAt(block, "name") ?? "a tool", 60)
  const input = toolInputText(block["input"], width)
  return [`${paint("note", `> ${name}`)}${input === "" ? "" : ` ${input}`}`]
}

const answerText = (line: AgentLine, look: Look): Shown => {
  const shown = blocksOf(line).flatMap((block) => answerBlock(block, look))
  const isError = textAt(line.object, "error") !== undefined || line.object["is_api_error_message"] === true
  return isError ? shown.map((text) => look.paint("error", text)) : shown
}

const resultBlock = (block: JsonObject, { paint, width }: Look): Shown => {
  if (block["type"] !== "tool_result") return []
  const isError = block["is_error"] === true
  const lines = toolResultText(block["content"])
    .split(lineBreak)
    .filter((line) => line.trim() !== "")
  const shown = lines.slice(0, resultLines).map((line) => `  ${shortened(line, width)}`)
  const further = lines.length - shown.length
  const all = [
    ...(isError ? ["  error:"] : []),
    ...(shown.length === 0 ? ["  (no output)"] : shown),
    ...(further > 0 ? [`  ... ${counted(further, "more line")}`] : [])
  ]
  return all.map((line) => paint(isError ? "error" : "dim", line))
}

const rateLimitText = ({ object }: AgentLine, { paint, readAtMs, time }: Look): Shown => {
  const info = objectAt(object, "rate_limit_info")
  const status = textAt(info, "status")
  // The agent reports `allowed` again and again.
  if (status === undefined || status === "allowed") return []
  const type = textAt(info, "rateLimitType")
  const used = numberAt(info, "utilization")
  const resetsAtMs = readAtMs === undefined ? undefined : resetFigureMs(numberAt(info, "resetsAt"), readAtMs)
  const text = [
    status === "rejected" ? "! The usage limit is reached" : "! The usage limit is near",
    type === undefined ? "" : ` (${shortened(type, 40)})`,
    used === undefined ? "" : `: ${Math.floor(used * 100)} % used`,
    resetsAtMs === undefined ? "" : `, it resets at ${time(resetsAtMs)}`
  ].join("")
  return [paint("warning", text)]
}

const runText = ({ object }: AgentLine, { paint, width }: Look): Shown => {
  const isError = object["is_error"] === true || object["subtype"] !== "success"
  const turns = numberAt(object, "num_turns")
  const cost = numberAt(object, "total_cost_usd")
  const durationMs = numberAt(object, "duration_ms")
  const figures = [
    ...(turns === undefined ? [] : [counted(turns, "turn")]),
    ...(cost === undefined ? [] : [dollars(cost)]),
    ...(durationMs === undefined ? [] : [humanDuration(Math.max(0, durationMs))])
  ].join(", ")
  const after = figures === "" ? "" : ` (${figures})`
  // The text of a success repeats the answer above.
  if (!isError) return [paint("ok", `* Done${after}`)]
  const { errors } = object
  const listed = Array.isArray(errors) ? errors.filter((error) => typeof error === "string").join("; ") : ""
  const said = textAt(object, "result") ?? listed
  const subtype = textAt(object, "subtype")
  const why = said === "" ? (subtype ?? "") : said
  return [
    paint("error", `* Ended with an error${after}${why === "" ? "" : `: ${shortened(why, width * 3)}`}`)
  ]
}

const shownOf = (line: AgentLine, look: Look): Shown => {
  switch (line.type) {
    case "system":
      return systemText(line, look)
    case "assistant":
      return answerText(line, look)
    case "user":
      return blocksOf(line).flatMap((block) => resultBlock(block, look))
    case "result":
      return runText(line, look)
    case "usage":
      return []
    default:
      return rateLimitText(line, look)
  }
}

const rendered = (text: string, options: AgentTextOptions): string | undefined => {
  const lines = commonLinesOf(text)
  if (lines === undefined) return isSilent(text) ? undefined : harmless(text, options.colour)
  const shown = lines.flatMap((line) => {
    // Indents the work of a subagent below its call.
    const indent = textAt(line.object, "parent_tool_use_id") === undefined ? "" : "    "
    return shownOf(line, lookOf(options)).map((part) => indent + part)
  })
  return shown.length === 0 ? undefined : shown.join("\n")
}

/**
 * Renders a line of a worker for a terminal: a line of an agent's stream as one or several short lines without a final
 * newline, or undefined for one that shows nothing; any other line unchanged. Escapes control characters.
 */
export const renderAgentLine = (text: string, options: AgentTextOptions): string | undefined => {
  try {
    return rendered(text, options)
  } catch {
    // A line may be nested deeper than the stack of this program, and a worker may print any line.
    return harmless(text, options.colour)
  }
}
