import type { ErrorCode } from "../control/ErrorCode.ts"
import type { SubscriptionLine } from "../control/Subscription.ts"
import { type Finding, findingsText, summary } from "../doctor/Finding.ts"
import type { HostColor } from "../remote/Hosts.ts"
import type { ClockTime } from "../status/AgentWords.ts"
import type { ProjectRow } from "../status/ProjectsData.ts"
import { whyBeside } from "../status/ProjectsText.ts"
import { stateWord } from "../status/WorkerSentence.ts"
import { counted, humanBytes, humanDuration } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import { type Style, stateStyle, styled } from "../text/Style.ts"
import { type Column, tableLines } from "../text/Table.ts"

/** The state of a daemon, as the first line of a subscription has it. */
export type Snapshot = Extract<SubscriptionLine, { readonly type: "snapshot" }>

/** A host of a fleet. */
export interface FleetHost {
  readonly name: string
  readonly color?: HostColor
}

/** Why there is nothing to be seen of a host. */
export interface HostProblem {
  readonly code: ErrorCode
  /** In sentences. */
  readonly reason: string
}

/** The result of one look at a host. */
export interface HostSight<A> extends FleetHost {
  readonly seen: A | HostProblem
}

const isProblem = (seen: object): seen is HostProblem => "reason" in seen && "code" in seen

/** The problem of a host; undefined when it has answered. */
export const problemOf = (seen: object): HostProblem | undefined => (isProblem(seen) ? seen : undefined)

interface FleetTextOptions {
  readonly clockTime: ClockTime
  readonly colour: boolean
  /** The width of the terminal, to which the table is cut; undefined without one. */
  readonly columns?: number | undefined
}

const styles: Readonly<Record<HostColor, Style>> = {
  red: "error",
  yellow: "warning",
  green: "ok",
  cyan: "note",
  blue: "blue",
  magenta: "magenta",
  gray: "dim"
}

const hostStyle = (color: HostColor | undefined): Style | undefined =>
  color === undefined ? undefined : styles[color]

/** The words for a host without an answer, in the place of a worker's state. */
const problemWords: Readonly<Partial<Record<ErrorCode, string>>> = {
  no_daemon: "no daemon",
  host_unreachable: "unreachable",
  host_refused: "no access",
  access_denied: "no access",
  not_installed: "not installed",
  other_version: "other version",
  no_answer: "no answer"
}

export const problemWord = ({ code }: HostProblem): string => problemWords[code] ?? "failed"

/** One line of the table: a project of a host, or a host without one. */
interface Row {
  readonly host: FleetHost
  readonly project: ProjectRow | undefined
  readonly problem: HostProblem | undefined
  readonly nowMs: number
  /** The machine's, in the first line of each host. */
  readonly availableBytes: number | undefined
}

const rowsOf = ({ seen, ...host }: HostSight<Snapshot>): ReadonlyArray<Row> => {
  const row = { host, project: undefined, problem: undefined, nowMs: 0, availableBytes: undefined }
  if (isProblem(seen)) return [{ ...row, problem: seen }]
  const availableBytes = seen.status.memory_available_bytes
  const [first, ...others] = seen.projects.projects
  return [
    // The clock of the host: its times are compared with no other one.
    { ...row, project: first, nowMs: seen.at, availableBytes },
    ...others.map((project) => ({ ...row, project, nowMs: seen.at }))
  ]
}

const none = "-"

/** Sentences of another machine, or about it, in one line. */
export const oneLine = (sentences: string): string => printable(sentences.replaceAll("\n", " "))

/** Formats what was seen of all hosts as a table with a line for each project, ending in a newline. */
export const fleetText = (
  sights: ReadonlyArray<HostSight<Snapshot>>,
  { clockTime, colour, columns: width }: FleetTextOptions
): string => {
  const stateOf = ({ problem, project }: Row): string =>
    problem === undefined ? (project === undefined ? none : stateWord(project)) : problemWord(problem)
  const styleOf = ({ problem, project }: Row): Style | undefined =>
    problem === undefined ? project && stateStyle(stateWord(project)) : "error"
  const columns: ReadonlyArray<Column<Row>> = [
    {
      heading: "HOST",
      cell: ({ host }) => ({
        text: printable(host.name),
        style: colour ? hostStyle(host.color) : undefined
      })
    },
    { heading: "PROJECT", cell: ({ project }) => (project === undefined ? none : printable(project.name)) },
    {
      heading: "STATE",
      cell: (row) => ({ text: printable(stateOf(row), 40), style: colour ? styleOf(row) : undefined })
    },
    {
      heading: "UPTIME",
      cell: ({ project }) =>
        typeof project?.worker_pid === "number" ? humanDuration(project.uptime_seconds * 1000) : none,
      dropped: 3
    },
    {
      heading: "MEMORY",
      cell: ({ project }) =>
        typeof project?.memory_bytes === "number" ? humanBytes(project.memory_bytes) : none,
      isNumber: true,
      dropped: 2
    },
    {
      heading: "FREE",
      cell: ({ availableBytes }) => (availableBytes === undefined ? "" : humanBytes(availableBytes)),
      isNumber: true,
      isOptional: true,
      dropped: 1
    },
    {
      heading: "WHY",
      cell: ({ nowMs, problem, project }) =>
        problem === undefined
          ? project === undefined
            ? ""
            : whyBeside(project, { clockTime, nowMs })
          : oneLine(problem.reason),
      isOptional: true,
      isText: true
    }
  ]
  return `${tableLines(columns, sights.flatMap(rowsOf), width).join("\n")}\n`
}

/** The hosts without an answer, each with its reason. Undefined when there are none. */
export const fleetProblems = (sights: ReadonlyArray<HostSight<object>>): string | undefined => {
  const lines = sights.flatMap(({ name, seen }) =>
    isProblem(seen) ? [`${name}: ${oneLine(seen.reason)}`] : []
  )
  return lines.length === 0
    ? undefined
    : [`${lines.length} of ${counted(sights.length, "host")} did not answer.`, ...lines].join("\n")
}

/** The findings of each host below its name, those without an answer with the reason; ends in a newline. */
export const fleetFindingsText = (
  sights: ReadonlyArray<HostSight<{ readonly findings: ReadonlyArray<Finding> }>>,
  { colour }: { readonly colour: boolean }
): string =>
  sights
    .map(({ color, name, seen }) => {
      const heading = styled(colour ? (hostStyle(color) ?? "strong") : undefined, printable(name))
      if (isProblem(seen)) return `${heading}\n${oneLine(seen.reason)}\n`
      // Findings without a problem would fill three screens for five machines.
      const findings = seen.findings
        .filter(({ level }) => level !== "ok")
        .map((finding) => ({ ...finding, about: printable(finding.about, 40) }))
      return `${heading}\n${findings.length === 0 ? `${summary([])}\n` : findingsText(findings, { colour })}`
    })
    .join("\n")

/** The name of a host before a line about it, as wide as the widest. */
export const hostPrefix = (
  { color, name }: FleetHost,
  hosts: ReadonlyArray<FleetHost>,
  colour: boolean
): string => {
  const width = Math.max(...hosts.map((one) => one.name.length))
  return `${styled(colour ? hostStyle(color) : undefined, printable(name.padEnd(width)))} | `
}
