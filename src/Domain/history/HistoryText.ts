import type * as DateTime from "effect/DateTime"
import { humanBytes, humanDuration } from "../text/Amounts.ts"
import { localTime } from "../text/LocalTime.ts"
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
import { restartsIn } from "./Restarts.ts"
import { restartSentences } from "./RestartsText.ts"

export interface HistoryTextOptions {
  /** Now, in milliseconds since 1970. */
  readonly nowMs: number
  /** The zone of the times. */
  readonly zone: DateTime.TimeZone
  /** Colours warnings and errors with ANSI escapes. */
  readonly colour: boolean
}

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

/** Drops `WorkerExited` where `WorkerEnded` follows, which includes its facts. */
const withoutTwins = (records: ReadonlyArray<HistoryRecord>): ReadonlyArray<HistoryRecord> => {
  const judged = new Set<string>()
  const kept = records.toReversed().filter((record) => {
    const run = `${record.daemon} ${projectOf(record)}`
    if (record._tag === "WorkerEnded") judged.add(run)
    if (record._tag === "WorkerStarted") judged.delete(run)
    return record._tag !== "WorkerExited" || !judged.delete(run)
  })
  return kept.toReversed()
}

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

/** The table of events, and sentences about the restarts. */
export const historyText = (
  { damaged, records }: { readonly records: ReadonlyArray<HistoryRecord>; readonly damaged: number },
  question: HistoryQuestion,
  options: HistoryTextOptions
): string => {
  const { sinceMs, untilMs } = question
  const shown = answering(withoutTwins(records), question)
  const none =
    sinceMs === undefined && untilMs === undefined
      ? "The history is empty."
      : [
          "No events",
          ...(sinceMs === undefined ? [] : [`since ${localTime(sinceMs, options.zone)}`]),
          ...(untilMs === undefined ? [] : [`until ${localTime(untilMs, options.zone)}`])
        ].join(" ") + "."
  const notes = [
    ...restarts(records, options),
    ...(damaged === 0
      ? []
      : [`Skipped ${damaged} unreadable line${damaged === 1 ? "" : "s"} of the history.`])
  ]
  return [
    shown.length === 0 ? `${none}\n` : historyTable(shown, options),
    ...(notes.length === 0 ? [] : ["\n", ...notes.map((note) => `${note}\n`)])
  ].join("")
}

/** The records as a table, ending in a newline. */
export const historyTable = (
  records: ReadonlyArray<HistoryRecord>,
  { colour, zone }: Pick<HistoryTextOptions, "colour" | "zone">
): string => {
  const shown = withoutTwins(records)
  const isPlural = new Set(shown.flatMap((record) => projectOf(record) ?? [])).size > 1
  const style = (record: HistoryRecord) => (colour ? levelStyles[describeEvent(record).level] : undefined)
  const columns: ReadonlyArray<Column<HistoryRecord>> = [
    { heading: "TIME", cell: ({ at }) => localTime(at, zone) },
    ...(isPlural ? [{ heading: "PROJECT", cell: (record: HistoryRecord) => projectOf(record) ?? "-" }] : []),
    { heading: "WHAT", cell: (record) => ({ text: what(record), style: style(record) }) },
    { heading: "RAN", cell: ran, isNumber: true, isOptional: true },
    { heading: "PEAK", cell: peak, isNumber: true, isOptional: true },
    { heading: "REASON", cell: (record) => printable(reason(record), maxReasonLength) }
  ]
  return `${tableLines(columns, shown).join("\n")}\n`
}
