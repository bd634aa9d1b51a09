import { renderAgentLine } from "../agent/AgentText.ts"
import { stampLength, storedLine } from "../output/StoredLine.ts"
import type { ProjectName } from "../Project.ts"
import { styled } from "../text/Style.ts"

/**
 * A line of a worker.log for a person at a terminal, without its newline; undefined when it has nothing to say. What an
 * agent says may take several lines. Nothing of it drives the terminal.
 */
export const lineForPerson = (line: string, { colour }: { readonly colour: boolean }): string | undefined => {
  const stored = storedLine(line)
  if (stored === undefined) return renderAgentLine(line, { colour })
  const text = renderAgentLine(stored.text, { colour })?.replaceAll("\n", `\n${" ".repeat(stampLength)}`)
  if (text === undefined) return undefined
  const stamp = line.slice(0, stampLength)
  if (!colour) return `${stamp}${text}`
  if (stored.stream === "note") return styled("note", `${stamp}${text}`)
  return `${styled(stored.stream === "err" ? "error" : "dim", stamp.trimEnd())} ${text}`
}

/** The same for a program: one JSON object. `at` is null for a line that no daemon has written. */
export const lineForProgram = (line: string, project: ProjectName): string => {
  const { at, stream, text } = storedLine(line) ?? { at: null, stream: "note", text: line }
  return JSON.stringify({ at, project, stream, text })
}
