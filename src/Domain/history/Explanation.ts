import type * as DateTime from "effect/DateTime"
import type { StatusReply } from "../status/StatusData.ts"
import { projectOf } from "./DaemonEvent.ts"
import { rowOf } from "./HistoryData.ts"
import type { HistoryRecord } from "./HistoryRecord.ts"
import { type HistoryTextOptions, historyTable } from "./HistoryText.ts"

/** What is known at the moment of the question. */
export interface Evidence {
  /** What the daemon says; undefined when none runs. */
  readonly status: StatusReply | undefined
  /** Of the last days, the oldest first. */
  readonly records: ReadonlyArray<HistoryRecord>
  /** The project that was asked about by name. */
  readonly project: string | undefined
  /** Now, in milliseconds since 1970. */
  readonly nowMs: number
  /** When the machine was started; undefined where that is not known. */
  readonly bootedMs: number | undefined
  /** Of the times in the sentences. */
  readonly zone: DateTime.TimeZone
}

/** Why things are as they are. */
export interface Explanation {
  /** The word for the worker's state, or `no daemon`. */
  readonly state: string
  /** What is, why, and how often: whole sentences, the most important first. */
  readonly sentences: ReadonlyArray<string>
  /** The events behind it, the oldest first. */
  readonly events: ReadonlyArray<HistoryRecord>
  /** What a person could do: whole sentences. */
  readonly advice: ReadonlyArray<string>
}

/** So many events are told with an explanation. */
const maxEvents = 8

/** Of what is about no project, what may be behind its state. */
const isAboutAll = ({ _tag }: HistoryRecord): boolean =>
  _tag === "DaemonStarted" ||
  _tag === "DaemonStopping" ||
  _tag === "DaemonStopped" ||
  _tag === "HogSignalled" ||
  _tag === "MemoryLevelChanged"

/** The last events that have to do with a project, or with any where none is named. */
export const eventsBehind = (
  records: ReadonlyArray<HistoryRecord>,
  project: string | undefined
): ReadonlyArray<HistoryRecord> =>
  records
    .filter((record) => {
      const owner = projectOf(record)
      return owner === undefined ? isAboutAll(record) : project === undefined || owner === project
    })
    .slice(-maxEvents)

/** How a project's worker is called at the beginning of a sentence. */
export const workerOf = (project: string | undefined): string =>
  project === undefined ? "The worker" : `The worker of ${project}`
const section = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", `${title}:`, ...lines.map((line) => `  ${line}`)]
/** An explanation for people, ending in a newline. */

export const explanationText = (
  { advice, events, sentences }: Explanation,
  options: Pick<HistoryTextOptions, "colour" | "zone">
): string => {
  const table = events.length === 0 ? [] : historyTable(events, options).trimEnd().split("\n")
  const lines = [...sentences, ...section("What has happened", table), ...section("What you can do", advice)]
  return lines.map((line) => `${line}\n`).join("")
}
/** The same for programs. */

export const explanationData = ({ advice, events, sentences, state }: Explanation) => ({
  state,
  explanation: sentences,
  events: events.map(rowOf),
  advice
})
