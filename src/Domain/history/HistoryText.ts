import { humanBytes, humanDuration } from "../text/Amounts.ts"
import { localTime, type Zone } from "../text/LocalTime.ts"
import { printable } from "../text/Printable.ts"
import { shellLine } from "../text/ShellLine.ts"
import type { Level, Style } from "../text/Style.ts"
import { type Column, tableLines } from "../text/Table.ts"
import { describeExit } from "../tree/WorkerExit.ts"
import { describeVerdict } from "../verdict/ExitVerdict.ts"
import { describeOomKill } from "../verdict/OomKill.ts"
import { type DaemonEvent, describeEvent, projectOf } from "./DaemonEvent.ts"
import { answering, type HistoryQuestion } from "./HistoryData.ts"
import type { HistoryRecord } from "./HistoryRecord.ts"
import { type JoinedEvents, joinedEvents, sequelOf } from "./JoinedEvents.ts"
import { restartsIn } from "./Restarts.ts"
import { restartSentences } from "./RestartsText.ts"

export interface HistoryTextOptions {
  /** Now, in milliseconds since 1970. */
  readonly nowMs: number
  /** The zone of the times. */
  readonly zone: Zone
  /** Colours warnings and errors with ANSI escapes. */
  readonly colour: boolean
  /** The width of the terminal, to which the table is cut; undefined without one. */
  readonly columns?: number | undefined
  /** Each event has its own row, and no text is cut to the terminal. */
  readonly isLong?: boolean | undefined
}

type TableOptions = Omit<HistoryTextOptions, "nowMs">

/** An event has one line. */
const maxReasonLength = 240

const levelStyles: Readonly<Record<Level, Style | undefined>> = {
  info: undefined,
  warning: "warning",
  error: "error"
}

/** The event in the words of its tag: `backing off`, `memory level changed`. */
const what = (event: DaemonEvent): string => {
  switch (event._tag) {
    case "WorkerStarted":
      return "started"
    case "WorkerExited":
    case "WorkerEnded":
      return "exited"
    case "WorkerStopped":
      return "stopped"
    case "CommandTaken":
      return `${event.command} command`
    default:
      return event._tag.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase()
  }
}

/** The reason and the figures that the other columns do not show. */
const reason = (event: DaemonEvent): string => {
  switch (event._tag) {
    case "DaemonStarted":
      return `pid ${event.pid}, version ${event.version}`
    case "DaemonStopping":
      return event.by
    case "WorkerStarted":
      return `pid ${event.pid}: ${shellLine(event.command)}`
    case "WorkerStopped":
      return event.reason
    case "RestartAsked":
      return event.reason
    case "WorkerExited":
      return event.oomKill === undefined
        ? describeExit(event.exit)
        : `${describeExit(event.exit)}; ${describeOomKill(event.oomKill)}`
    case "WorkerEnded":
      return describeVerdict(event.verdict)
    default:
      return describeEvent(event).text
  }
}

const ran = (event: DaemonEvent): string =>
  event._tag === "WorkerExited" || event._tag === "WorkerEnded" ? humanDuration(event.uptimeMs) : ""

const peak = (event: DaemonEvent): string =>
  event._tag === "WorkerEnded" && event.peakMemoryBytes !== undefined ? humanBytes(event.peakMemoryBytes) : ""

/** The rows of a table: joined, or each event by itself. */
const rowsOf = (records: ReadonlyArray<HistoryRecord>, isLong: boolean): ReadonlyArray<JoinedEvents> =>
  isLong ? records.map((head) => ({ head, rest: [] })) : joinedEvents(records)

/** The reason, and what came of it, which is kept whole. */
const reasonOf = (row: JoinedEvents): string => {
  const sequel = sequelOf(row)
    .map((text) => `; ${text}`)
    .join("")
  return `${printable(reason(row.head), Math.max(0, maxReasonLength - sequel.length))}${printable(sequel, maxReasonLength)}`
}

const levels: ReadonlyArray<Level> = ["info", "warning", "error"]

/** The gravest level of a row. */
const levelOf = ({ head, rest }: JoinedEvents): Level =>
  levels.findLast((level) => [head, ...rest].some((record) => describeEvent(record).level === level)) ??
  "info"

const restarts = (
  records: ReadonlyArray<HistoryRecord>,
  { nowMs, zone }: Pick<HistoryTextOptions, "nowMs" | "zone">
): ReadonlyArray<string> => {
  const all = restartsIn(records)
  const projects = [...new Set(all.map(({ project }) => project))].toSorted()
  return projects.flatMap((project) =>
    restartSentences(
      `The worker of ${project}`,
      all.filter((restart) => restart.project === project),
      nowMs,
      zone
    )
  )
}

/** The answer to a question that no event answers. */
export const noEvents = (
  { sinceMs, untilMs }: Pick<HistoryQuestion, "sinceMs" | "untilMs">,
  zone: Zone
): string =>
  sinceMs === undefined && untilMs === undefined
    ? "The history is empty."
    : [
        "No events",
        ...(sinceMs === undefined ? [] : [`since ${localTime(sinceMs, zone)}`]),
        ...(untilMs === undefined ? [] : [`until ${localTime(untilMs, zone)}`])
      ].join(" ") + "."

/** The table of events, and sentences about the restarts. */
export const historyText = (
  { damaged, records }: { readonly records: ReadonlyArray<HistoryRecord>; readonly damaged: number },
  question: HistoryQuestion,
  options: HistoryTextOptions
): string => {
  const { limit, ...range } = question
  const all = rowsOf(
    answering(records, { ...range, limit: Number.POSITIVE_INFINITY }),
    options.isLong === true
  )
  const shown = limit === 0 ? [] : all.slice(-limit)
  const notes = [
    ...restarts(records, options),
    ...(damaged === 0
      ? []
      : [`Skipped ${damaged} unreadable line${damaged === 1 ? "" : "s"} of the history.`])
  ]
  return [
    shown.length === 0 ? `${noEvents(question, options.zone)}\n` : tableOf(shown, options),
    ...(notes.length === 0 ? [] : ["\n", ...notes.map((note) => `${note}\n`)])
  ].join("")
}

/** The records as a table, ending in a newline. */
export const historyTable = (records: ReadonlyArray<HistoryRecord>, options: TableOptions): string =>
  tableOf(rowsOf(records, options.isLong === true), options)

const tableOf = (
  rows: ReadonlyArray<JoinedEvents>,
  { colour, columns: width, isLong, zone }: TableOptions
) => {
  const isPlural = new Set(rows.flatMap(({ head }) => projectOf(head) ?? [])).size > 1
  const style = (row: JoinedEvents) => (colour ? levelStyles[levelOf(row)] : undefined)
  const columns: ReadonlyArray<Column<JoinedEvents>> = [
    { heading: "TIME", cell: ({ head }) => localTime(head.at, zone) },
    ...(isPlural ? [{ heading: "PROJECT", cell: ({ head }: JoinedEvents) => projectOf(head) ?? "-" }] : []),
    { heading: "WHAT", cell: (row) => ({ text: what(row.head), style: style(row) }) },
    { heading: "RAN", cell: ({ head }) => ran(head), isNumber: true, isOptional: true, dropped: 2 },
    { heading: "PEAK", cell: ({ head }) => peak(head), isNumber: true, isOptional: true, dropped: 1 },
    { heading: "REASON", cell: reasonOf, isText: true }
  ]
  return `${tableLines(columns, rows, isLong === true ? undefined : width).join("\n")}\n`
}
