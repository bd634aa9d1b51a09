import { dollars, humanBytes, ofMicroDollars } from "../text/Amounts.ts"
import { cellWidth, cutToCells, inCells } from "../text/CellWidth.ts"
import { harmless, printable } from "../text/Printable.ts"
import { type Style, stateStyle, styled } from "../text/Style.ts"
import type { ProjectRow } from "./ProjectsData.ts"
import type { TopState } from "./TopState.ts"
import { stateWord } from "./WorkerSentence.ts"

interface TopViewOptions {
  /** Now, in milliseconds since 1970. */
  readonly nowMs: number
  readonly colour: boolean
}

/** A duration in at most seven cells: `45s`, `12m03s`, `3h02m`, `4d05h`. */
const briefDuration = (seconds: number): string => {
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0")
  if (seconds < 60) return `${Math.max(0, Math.floor(seconds))}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h${two((seconds % 3600) / 60)}m`
  return `${Math.floor(seconds / 86_400)}d${two((seconds % 86_400) / 3600)}h`
}

/** How long the worker is in its state, or how long until its next start. */
const since = (
  { next_start_at_ms: dueMs, state_since_ms: sinceMs, uptime_seconds, worker_pid: pid }: ProjectRow,
  nowMs: number
): string => {
  if (pid !== null) return briefDuration(uptime_seconds)
  if (dueMs !== undefined) return `in ${briefDuration(Math.max(0, dueMs - nowMs) / 1000)}`
  return sinceMs === undefined ? "-" : briefDuration((nowMs - sinceMs) / 1000)
}

const cost = ({ agent, last_agent: last }: ProjectRow): string => {
  const amount = (agent ?? last)?.cost_micro_usd
  return amount === undefined ? "-" : amount >= 100e6 ? dollars(amount / 1e6) : ofMicroDollars(amount)
}

interface Column {
  readonly heading: string
  readonly width: number
  readonly isRight?: boolean
  readonly cell: (row: ProjectRow) => string
}

const columnsOf = (rows: ReadonlyArray<ProjectRow>, nowMs: number): ReadonlyArray<Column> => [
  {
    heading: "NAME",
    width: Math.min(18, Math.max(4, ...rows.map(({ name }) => cellWidth(printable(name))))),
    cell: ({ name }) => printable(name)
  },
  { heading: "STATE", width: 10, cell: (row) => printable(stateWord(row)) },
  { heading: "SINCE", width: 8, isRight: true, cell: (row) => since(row, nowMs) },
  {
    heading: "MEMORY",
    width: 9,
    isRight: true,
    cell: ({ memory_bytes: bytes }) => (bytes === null ? "-" : humanBytes(bytes))
  },
  {
    heading: "CPU",
    width: 5,
    isRight: true,
    cell: ({ cpu_per_mille: share }) => (share === undefined ? "-" : `${Math.round(share / 10)}%`)
  },
  {
    heading: "TURNS",
    width: 5,
    isRight: true,
    cell: ({ agent, last_agent: last }) => String((agent ?? last)?.turns ?? "-")
  },
  { heading: "COST", width: 8, isRight: true, cell: cost }
]

/** The last line of a worker, or why it does not run. */
const lastOf = (row: ProjectRow, lastLines: TopState["lastLines"]): string => {
  const last = lastLines.get(row.name)
  const text = row.worker_pid === null ? (row.reason ?? last) : (last ?? row.reason)
  return harmless(text ?? "", false)
    .replaceAll("\t", " ")
    .trim()
}

const paint = (style: Style | undefined, text: string, colour: boolean): string =>
  colour ? styled(style, text) : text

const header = ({ columns, rows, status }: TopState): string => {
  const states = new Map<string, number>()
  for (const word of rows.map(stateWord)) states.set(word, (states.get(word) ?? 0) + 1)
  const isShort = status?.memory_level === "low" || status?.memory_level === "critical"
  const parts = [
    status?.daemon_version === undefined ? "autopilotd" : `autopilotd ${status.daemon_version}`,
    ...(status?.daemon_uptime_seconds === undefined
      ? []
      : [`up ${briefDuration(status.daemon_uptime_seconds)}`]),
    [...states].map(([word, count]) => `${count} ${printable(word)}`).join(", "),
    ...(status === undefined || status.memory_total_bytes === 0
      ? []
      : [`${humanBytes(status.memory_available_bytes)} free${isShort ? ` (${status.memory_level})` : ""}`])
  ]
  return inCells(parts.filter((part) => part !== "").join("; "), columns)
}

const keysOf = ({ log }: TopState): string =>
  log === undefined
    ? "q quit  up/down select  l logs  r restart  s stop  g start"
    : "q back  up/down other project  r restart  s stop  g start"

/** The last line: a question, an answer, or the keys. */
const footer = (state: TopState, colour: boolean): string => {
  const { asked, columns, isLost, note } = state
  if (asked !== undefined) {
    const verb = asked.command === "stop" ? "Stop" : "Restart"
    return paint(
      "strong",
      inCells(`${verb} the worker of ${printable(asked.project)}? y yes, any other key no`, columns),
      colour
    )
  }
  if (note !== undefined) return paint(isLost ? "error" : "strong", inCells(printable(note), columns), colour)
  return paint("dim", inCells(keysOf(state), columns), colour)
}

/** The rows that have room, so that the selected one is among them. */
const visible = ({ rows, selected }: TopState, room: number): ReadonlyArray<ProjectRow> => {
  const at = Math.max(
    0,
    rows.findIndex(({ name }) => name === selected)
  )
  const from = Math.max(0, Math.min(at - Math.floor(room / 2), rows.length - room))
  return rows.slice(from, from + room)
}

const table = (state: TopState, room: number, { colour, nowMs }: TopViewOptions): ReadonlyArray<string> => {
  const columns = columnsOf(state.rows, nowMs)
  const fixed = columns.reduce((sum, { width }) => sum + width + 1, 0)
  const rest = Math.max(0, state.columns - fixed)
  const head = [
    ...columns.map(({ heading, isRight, width }) => inCells(heading, width, isRight)),
    "LAST LINE"
  ].join(" ")
  const lines = visible(state, room - 1).map((row) => {
    const isSelected = row.name === state.selected
    const cells = columns.map(({ cell, heading, isRight, width }) => {
      const text = inCells(cell(row), width, isRight)
      return heading === "STATE" && colour && !isSelected ? styled(stateStyle(row.worker_status), text) : text
    })
    const line = `${cells.join(" ")} ${cutToCells(lastOf(row, state.lastLines), rest)}`
    if (!isSelected) return line
    // Without colours the selection must be seen as well.
    const shown = inCells(line, state.columns)
    return colour ? styled("reverse", shown) : `>${shown.slice(1)}`
  })
  return [paint("dim", inCells(head, state.columns), colour), ...lines]
}

const logLines = (state: TopState, room: number, colour: boolean): ReadonlyArray<string> => [
  paint("dim", inCells(`Log of ${printable(state.selected ?? "")}`, state.columns), colour),
  ...(state.log ?? [])
    .slice(-(room - 1))
    .map((line) => cutToCells(harmless(line, false).replaceAll("\t", " "), state.columns))
]

/** The screen of `autopilotd top`: as many lines as it is high, none wider than it is. */
export const topView = (state: TopState, options: TopViewOptions): ReadonlyArray<string> => {
  const { columns, height, log } = state
  const room = Math.max(2, height - 2)
  const body = log === undefined ? table(state, room, options) : logLines(state, room, options.colour)
  const blank = Array.from({ length: Math.max(0, room - body.length) }, () => "")
  const lines = [paint("strong", header(state), options.colour), ...body.slice(0, room), ...blank]
  return columns < 1
    ? []
    : [...lines.slice(0, Math.max(0, height - 1)), footer(state, options.colour)].slice(-height)
}
