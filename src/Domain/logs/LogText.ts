import { renderAgentLine } from "../adapter/AgentText.ts"
import { stampLength, storedLine } from "../output/StoredLine.ts"
import type { ProjectName } from "../Project.ts"
import { harmless } from "../text/Printable.ts"
import { type Level, type Style, styled } from "../text/Style.ts"
import { stampOf } from "./LogFilter.ts"

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

/** A line of the daemon's own log: `2026-11-22 19:45:36.029 WARN  shop: ...`. */
const daemonLine = (line: string) => {
  const stamp = stampOf(line)
  if (stamp === undefined) return undefined
  const [, word = "", text = ""] = /^(\S+) +(.*)$/s.exec(line.slice(stamp.length + 1)) ?? []
  const level: Level = word === "ERROR" ? "error" : word === "WARN" ? "warning" : "info"
  return { stamp, level, word, text }
}

const levelStyles: Readonly<Record<Level, Style>> = { info: "dim", warning: "warning", error: "error" }

/** Renders a line of the daemon's own log for a terminal, without its newline. */
export const daemonTerminalLine = (line: string, { colour }: { readonly colour: boolean }): string => {
  const entry = colour ? daemonLine(line) : undefined
  return entry === undefined
    ? harmless(line, false)
    : `${styled("dim", entry.stamp)} ${styled(levelStyles[entry.level], entry.word.padEnd(5))} ${harmless(entry.text, false)}`
}

/**
 * What a reader sees of a line of any log, without its time and colours; undefined for a line that shows nothing. A line
 * of an agent may become several.
 */
export const shownText = (line: string): string | undefined => {
  const stored = storedLine(line)
  if (stored !== undefined) return renderAgentLine(stored.text, { colour: false, readAtMs: stored.at })
  const stamp = stampOf(line)
  return stamp === undefined
    ? renderAgentLine(line, { colour: false })
    : harmless(line.slice(stamp.length + 1), false)
}

/** A line without its time, unchanged. */
export const unchangedText = (line: string): string => storedLine(line)?.text ?? line

/** A line for a program. `at` is null for a line without a stamp. */
export const lineData = (line: string, project: ProjectName) => {
  const { at, stream, text } = storedLine(line) ?? { at: null, stream: "note", text: line }
  return { at, project, stream, text }
}

/** A line of the daemon's own log for a program. */
export const daemonLineData = (line: string) => {
  const entry = daemonLine(line)
  if (entry === undefined) return { at: null, stream: "daemon", text: line }
  const at = storedLine(`${entry.stamp} --- `)?.at ?? null
  return { at, stream: "daemon", level: entry.level, text: entry.text }
}
