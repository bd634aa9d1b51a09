import { humanBytes, humanDuration } from "../text/Amounts.ts"
import { inStateColour } from "../text/Colour.ts"
import { printable } from "../text/Printable.ts"
import type { ProjectRow, ProjectsData } from "./ProjectsData.ts"

interface ProjectsTextOptions {
  /** Now, in milliseconds since 1970. */
  readonly nowMs: number
  /** Whether states may be coloured with ANSI escapes. */
  readonly colour: boolean
}

/** A longer reason ends in `...`: a project has one line. */
const maxReasonLength = 200

const headings = ["NAME", "STATE", "PID", "UPTIME", "MEMORY", "PROCS", "RESTARTS", "WHY"] as const

/** The columns of figures, which are compared from the right. */
const toTheRight: ReadonlySet<string> = new Set(["PID", "MEMORY", "PROCS", "RESTARTS"])

const none = "-"

/** Why a worker is where it is, and when it is started again by itself. */
const why = ({ next_start_at_ms: dueMs, reason }: ProjectRow, nowMs: number): string => {
  const next =
    dueMs === undefined
      ? []
      : [`next start ${dueMs - nowMs < 1000 ? "now" : `in ${humanDuration(dueMs - nowMs)}`}`]
  return [...(reason === undefined ? [] : [printable(reason, maxReasonLength)]), ...next].join("; ")
}

const cells = (project: ProjectRow, nowMs: number): ReadonlyArray<string> => [
  printable(project.name),
  project.worker_status,
  project.worker_pid === null ? none : String(project.worker_pid),
  project.worker_pid === null ? none : humanDuration(project.uptime_seconds * 1000),
  project.memory_bytes === null ? none : humanBytes(project.memory_bytes),
  project.processes === null ? none : String(project.processes),
  String(project.total_restarts),
  why(project, nowMs)
]

/** A table of the projects, ending in a newline; the selected one is marked with `*`. */
export const projectsText = (
  { projects }: Pick<ProjectsData, "projects">,
  { colour, nowMs }: ProjectsTextOptions
): string => {
  const rows = projects.map((project) => cells(project, nowMs))
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0))
  )
  const line = (mark: string, row: ReadonlyArray<string>, state?: string): string => {
    const texts = row.map((cell, column) => {
      const width = widths[column] ?? 0
      const padded = toTheRight.has(headings[column] ?? "") ? cell.padStart(width) : cell.padEnd(width)
      return state !== undefined && headings[column] === "STATE" ? inStateColour(state, padded) : padded
    })
    return `${mark} ${texts.join("  ")}`.trimEnd()
  }
  const isExplained = rows.some((row) => row.at(-1) !== "")
  return [
    line(" ", isExplained ? headings : headings.slice(0, -1)),
    ...projects.map((project, at) =>
      line(project.selected ? "*" : " ", rows[at] ?? [], colour ? project.worker_status : undefined)
    )
  ]
    .map((text) => `${text}\n`)
    .join("")
}
