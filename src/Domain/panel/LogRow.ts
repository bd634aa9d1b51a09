import { isAnyAgentLine } from "../adapter/AgentReader.ts"
import { renderAgentLine } from "../adapter/AgentText.ts"
import { type Html, html } from "../html/Html.ts"
import { storedLine } from "../output/StoredLine.ts"
import { withoutEscapes } from "../text/EscapeSequences.ts"
import { type LineLevel, lineLevel } from "./LineLevel.ts"
import { lineMarkup } from "./LineMarkup.ts"
import type { LogChoice, LogPosition } from "./LogChoice.ts"

/** The characters shown of a line, and of an agent's line in words. The raw line has more. */
const maxShown = 4000
const maxWords = 16_000

/** The characters shown of a summary of a tool or of its result. */
const agentWidth = 200

/** Turns a line of worker.log into a row; undefined for a line that the page does not want. */
export type LogRow = (line: string, position: LogPosition) => Html | undefined

interface Shown {
  readonly text: string
  readonly isAgent: boolean
}

/** An agent's line in words, another one as it is; undefined for one that shows nothing. */
const shownOf = (text: string, readAtMs: number | undefined): Shown | undefined => {
  if (!text.startsWith("{")) return { text, isAgent: false }
  const words = renderAgentLine(text, {
    colour: true,
    width: agentWidth,
    ...(readAtMs === undefined ? {} : { readAtMs })
  })
  if (words === undefined) return undefined
  return isAnyAgentLine(text) ? { text: words, isAgent: true } : { text, isAgent: false }
}

/** The words of an agent carry their level as their colour. */
const agentLevel = (words: string): LineLevel =>
  words.includes("\u001b[31m") ? "error" : words.includes("\u001b[33m") ? "warning" : "info"

/** Whether a stored text has what is searched for: as it is shown, or as JSON writes it. Renders nothing: it is fast. */
const finding = (searched: string) => {
  const needle = searched.toLowerCase()
  const inJson = JSON.stringify(needle).slice(1, -1)
  const has = (text: string) => {
    const lower = text.toLowerCase()
    return lower.includes(needle) || (inJson !== needle && lower.includes(inJson))
  }
  return (text: string): boolean => has(text) || (text.includes("\u001b") && has(withoutEscapes(text)))
}

const clock = (atMs: number): Html => {
  const iso = new Date(atMs).toISOString()
  return html`<time datetime="${iso}" data-style="clock">${iso.slice(11, 19)}</time>`
}

/** Makes the rows of a page. */
export const makeLogRow = ({ level: least, q, raw, stream: wanted }: LogChoice): LogRow => {
  const has = q === undefined ? undefined : finding(q)
  return (line, position) => {
    if (has?.(line) === false) return undefined
    const stored = storedLine(line)
    const { stream, text } = stored ?? { stream: "out" as const, text: line }
    if (wanted !== undefined && stream !== wanted) return undefined
    if (has?.(text) === false) return undefined
    const shown = raw === "1" ? { text, isAgent: false } : shownOf(text, stored?.at)
    if (shown === undefined) return undefined
    const limit = shown.isAgent ? maxWords : maxShown
    const cut = shown.text.slice(0, limit)
    const level = shown.isAgent ? agentLevel(cut) : lineLevel(withoutEscapes(cut), stream)
    if (least !== undefined && level !== "error" && level !== least) return undefined
    const further = shown.text.length - cut.length
    const content = html`${stored === undefined ? html`<time></time>` : clock(stored.at)}<span>${lineMarkup(cut, q)}${
      further > 0 && html` <i>… ${further.toLocaleString("en")} more characters</i>`
    }</span>`
    const classes = `row ${stream} ${level}`
    return shown.isAgent || further > 0
      ? html`<details class="${classes}" data-c="${position}"><summary tabindex="-1" title="Shows the line as it is">${content}</summary><pre></pre></details>`
      : html`<div class="${classes}" data-c="${position}">${content}</div>`
  }
}
