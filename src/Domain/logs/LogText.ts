import { renderAgentLine } from "../adapter/AgentText.ts"
import { stampLength, storedLine } from "../output/StoredLine.ts"
import type { ProjectName } from "../Project.ts"
import { jsonText } from "../text/Printable.ts"
import { styled } from "../text/Style.ts"

/**
 * Renders a line of a worker.log for a terminal, without its newline; undefined for a line that shows nothing. A line of
 * an agent may become several. No control character reaches the terminal.
 */
export const terminalLine = (line: string, { colour }: { readonly colour: boolean }): string | undefined => {
  const stored = storedLine(line)
  if (stored === undefined) return renderAgentLine(line, { colour })
  const text = renderAgentLine(stored.text, { colour, readAtMs: stored.at })?.replaceAll(
    "\n",
    `\n${" ".repeat(stampLength)}`
  )
  if (text === undefined) return undefined
  const stamp = line.slice(0, stampLength)
  if (!colour) return `${stamp}${text}`
  if (stored.stream === "note") return styled("note", `${stamp}${text}`)
  return `${styled(stored.stream === "err" ? "error" : "dim", stamp.trimEnd())} ${text}`
}

/** Renders a line as a JSON object. `at` is null for a line without a stamp. */
export const jsonLine = (line: string, project: ProjectName): string => {
  const { at, stream, text } = storedLine(line) ?? { at: null, stream: "note", text: line }
  return jsonText({ at, project, stream, text })
}
