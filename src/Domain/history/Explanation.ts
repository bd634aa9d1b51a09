import type { StatusReply } from "../status/StatusData.ts"
import type { ServiceTrouble } from "../systemd/UnitTrouble.ts"
import type { Zone } from "../text/LocalTime.ts"
import { wrapped } from "../text/TextLayout.ts"
import type { UnservedHome } from "../tree/UnservedHome.ts"
import { projectOf } from "./DaemonEvent.ts"
import { rowOf } from "./HistoryData.ts"
import type { HistoryRecord } from "./HistoryRecord.ts"
import { type HistoryTextOptions, historyTable } from "./HistoryText.ts"

/** The last sign of life of a daemon that was killed. */
interface SignOfLife {
  readonly pid: number
  /** Milliseconds since 1970. The daemon leaves one every minute. */
  readonly atMs: number
}

/** The input of an explanation. */
export interface Evidence {
  /** The answer of the daemon; undefined when none runs. */
  readonly status: StatusReply | undefined
  /** The records of the last days, the oldest first. */
  readonly records: ReadonlyArray<HistoryRecord>
  /** The processes of the home that live without a daemon. */
  readonly survivors: UnservedHome
  /** What keeps the service from running; undefined while a daemon runs. */
  readonly service?: ServiceTrouble | undefined
  /** The project that the user named. */
  readonly project: string | undefined
  /** Now, in milliseconds since 1970. */
  readonly nowMs: number
  /** Undefined while a daemon runs, and after one that has stopped. */
  readonly lastSign?: SignOfLife | undefined
  /** The boot time of the machine; undefined where unknown. */
  readonly bootedMs: number | undefined
  /** The sentences stay on a screen: they name no time left, which would change by itself. */
  readonly isLasting?: boolean
  /** The zone of times in the sentences. */
  readonly zone: Zone
}

export interface Explanation {
  /** The word for the worker's state, or `no daemon`. */
  readonly state: string
  /** Whole sentences about the state, its cause and the restarts, the most important first. */
  readonly sentences: ReadonlyArray<string>
  /** The events behind it, the oldest first. */
  readonly events: ReadonlyArray<HistoryRecord>
  /** Steps that a user can take: whole sentences. */
  readonly advice: ReadonlyArray<string>
}

const maxEvents = 8

/** Events of the daemon itself that may explain the state of a worker. */
const isAboutAll = ({ _tag }: HistoryRecord): boolean =>
  _tag === "DaemonStarted" ||
  _tag === "DaemonVanished" ||
  _tag === "DaemonStopping" ||
  _tag === "DaemonStopped" ||
  _tag === "HogSignalled" ||
  _tag === "MemoryLevelChanged"

/** The last events of a project, or of all projects when none is named. */
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

/** The name of a worker at the beginning of a sentence. */
export const workerOf = (project: string | undefined): string =>
  project === undefined ? "The worker" : `The worker of ${project}`

const section = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", `${title}:`, ...lines.map((line) => `  ${line}`)]

/** The explanation as text, ending in a newline. A terminal's width wraps its sentences, and no advice: users copy it. */
export const explanationText = (
  { advice, events, sentences }: Pick<Explanation, "advice" | "events" | "sentences">,
  { columns, ...options }: Omit<HistoryTextOptions, "nowMs">
): string => {
  const table =
    events.length === 0
      ? []
      : historyTable(events, { ...options, columns: columns && columns - 2 })
          .trimEnd()
          .split("\n")
  const told = columns === undefined ? sentences : sentences.flatMap((sentence) => wrapped(sentence, columns))
  const lines = [...told, ...section("Events", table), ...section("What you can do", advice)]
  return lines.map((line) => `${line}\n`).join("")
}

/** The explanation as JSON. */
export const explanationData = ({ advice, events, sentences, state }: Explanation) => ({
  state,
  explanation: sentences,
  events: events.map(rowOf),
  advice
})
