import { humanBytes, humanDuration } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import { stateStyle } from "../text/Style.ts"
import { type Column, tableLines } from "../text/Table.ts"
import { agentSummary, type ClockTime, lastAgentSummary, reasonWords } from "./AgentWords.ts"
import type { ProjectRow, ProjectsData } from "./ProjectsData.ts"
import { reasonBeside, stateWord } from "./WorkerSentence.ts"

interface ProjectsTextOptions {
  /** Now, in milliseconds since 1970. */
  readonly nowMs: number
  readonly clockTime: ClockTime
  /** Whether states are coloured. */
  readonly colour: boolean
  /** The width of the terminal, to which the table is cut; undefined without one. */
  readonly columns?: number | undefined
}

/** A longer reason ends in `...`. */
const maxReasonLength = 200

const none = "-"

/** Why a worker is in its state, and when the daemon starts it again. */
export const whyBeside = (
  row: ProjectRow,
  moment: Pick<ProjectsTextOptions, "clockTime" | "nowMs">
): string => {
  const { nowMs } = moment
  const { agent, next_start_at_ms: dueMs } = row
  const reason = reasonBeside(row)
  const next =
    dueMs === undefined
      ? []
      : [`next start ${dueMs - nowMs < 1000 ? "now" : `in ${humanDuration(dueMs - nowMs)}`}`]
  return [
    ...(reason === undefined ? [] : [printable(reasonWords(reason, agent, moment), maxReasonLength)]),
    ...next
  ].join("; ")
}

/** Formats the projects as a table, ending in a newline; `*` marks the selected one. */
export const projectsText = (
  { projects }: Pick<ProjectsData, "projects">,
  { clockTime, colour, columns: width, nowMs }: ProjectsTextOptions
): string => {
  const columns: ReadonlyArray<Column<ProjectRow>> = [
    { heading: "  NAME", cell: ({ name, selected }) => `${selected ? "*" : " "} ${printable(name)}` },
    {
      heading: "STATE",
      cell: (row) => ({ text: stateWord(row), style: colour ? stateStyle(stateWord(row)) : undefined })
    },
    { heading: "PID", cell: ({ worker_pid: pid }) => String(pid ?? none), isNumber: true, dropped: 2 },
    {
      heading: "UPTIME",
      cell: (row) => (row.worker_pid === null ? none : humanDuration(row.uptime_seconds * 1000))
    },
    {
      heading: "MEMORY",
      cell: ({ memory_bytes: bytes }) => (bytes === null ? none : humanBytes(bytes)),
      isNumber: true
    },
    { heading: "PROCS", cell: ({ processes }) => String(processes ?? none), isNumber: true, dropped: 1 },
    { heading: "RESTARTS", cell: (row) => String(row.total_restarts), isNumber: true, dropped: 3 },
    {
      heading: "AGENT",
      cell: ({ agent, last_agent: last }) =>
        agent ? agentSummary(agent, nowMs) : last ? lastAgentSummary(last) : "",
      isOptional: true,
      isText: true
    },
    { heading: "WHY", cell: (row) => whyBeside(row, { clockTime, nowMs }), isOptional: true, isText: true }
  ]
  return `${tableLines(columns, projects, width).join("\n")}\n`
}
